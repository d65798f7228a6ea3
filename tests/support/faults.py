"""Which faults a gateway meets, what it does then, and the tests that provoke each: a table that test_faults checks."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One line of the table. Tests are named only: they are found wherever they stand."""

    what: str
    behaviour: str
    tests: tuple[str, ...]


APPLICATIONS = (
    Fault("nobody listens", "502; another endpoint is tried, where there is one", (
        "test_nobody_at_the_address_is_502_and_the_client_keeps_its_connection",
        "test_an_endpoint_that_refuses_is_passed_over_for_one_that_does_not",
    )),
    Fault("it does not accept", "504 after the connect timeout", (
        "test_an_application_that_does_not_accept_is_504",
    )),
    Fault("a reused connection ends before the head", "an idempotent request is sent once more on a fresh one", (
        "test_a_repeatable_request_that_met_a_stale_connection_is_sent_again_on_a_fresh_one",
        "test_a_second_stale_connection_is_not_met",
    )),
    Fault("the same, after a POST or a part of a body", "502, and it is never sent again", (
        "test_a_request_that_may_have_been_done_is_never_repeated",
        "test_a_body_that_was_passed_on_is_not_lost_in_a_second_attempt",
    )),
    Fault("a fresh connection ends before the head", "502; it is asked once", (
        "test_an_application_that_closes_without_an_answer_is_502_and_is_asked_once",
        "test_an_application_that_accepts_and_closes_is_502_at_once",
    )),
    Fault("a crash in the middle of an answer", "the client's connection is reset, never a false end", (
        "test_an_answer_that_breaks_off_never_ends_well",
        "test_an_answer_until_close_that_is_reset_never_ends_well",
        "test_an_answer_that_is_cut_on_its_way_from_the_application_never_ends_well",
    )),
    Fault("a final answer during the upload", "it is relayed, and the client's connection ends behind it", (
        "test_an_early_answer_to_an_upload_is_passed_on_and_then_the_connection_ends",
        "test_an_early_answer_that_streams_is_relayed_whole_while_the_upload_goes_on",
    )),
    Fault("Expect answered by a final status", "it is relayed; neither connection is used again", (
        "test_an_expectation_that_is_answered_by_a_final_status_ends_both_connections",
    )),
    Fault("bytes behind an answer", "they reach nobody, and the connection is discarded", (
        "test_bytes_behind_an_answer_end_the_connection_and_reach_nobody",
        "test_an_answer_longer_than_its_length_is_cut_and_its_connection_ended",
        "test_a_head_with_a_body_where_none_may_be_does_not_poison_the_next_answer",
    )),
    Fault("a head whose framing is in doubt", "502, and the connection is discarded", (
        "test_a_doubtful_answer_is_502_and_its_connection_is_not_used_again",
        "test_whatever_an_application_answers_its_clients_agree_and_the_next_get_their_own_answers",
    )),
    Fault("chunks in doubt", "the client's connection is reset", (
        "test_a_body_in_doubtful_chunks_never_ends_well",
    )),
    Fault("no answer", "504 after the response timeout, and the application hears that nobody waits", (
        "test_an_application_that_does_not_answer_is_504_and_hears_that_nobody_waits",
        "test_interim_answers_without_end_are_bounded_by_the_response_timeout",
    )),
    Fault("it stalls in its answer", "the client's connection is reset after the idle timeout", (
        "test_an_application_that_stalls_in_its_answer_breaks_the_clients_connection",
        "test_an_event_stream_through_a_network_that_stops_ends_on_both_sides",
    )),
    Fault("it takes the body slowly", "the client is held up", (
        "test_an_application_that_reads_slowly_holds_the_client_up",
        "test_a_gigabyte_is_uploaded_to_a_slow_reader_in_flat_memory",
    )),
    Fault("it does not take the body at all", "504 after the idle timeout", (
        "test_an_application_that_does_not_take_the_body_is_504",
    )),
    Fault("it closes its side only", "behind an answer: not used again; before it: 502", (
        "test_an_application_that_ends_its_side_is_not_asked_on_that_connection_again",
        "test_an_application_that_ends_its_side_before_its_answer_is_502",
    )),
    Fault("a 101 that nobody may have", "502, no tunnel", (
        "test_a_101_that_is_not_the_answer_is_502_and_its_connection_is_discarded",
    )),
)  # fmt: skip

CLIENTS = (
    Fault("it leaves while it waits, closed, reset or half-closed", "the application's work is stopped", (
        "test_a_client_that_leaves_stops_the_work_on_its_request",
    )),
    Fault("it leaves in its upload or download", "nothing is left of it", (
        "test_a_client_that_leaves_in_its_upload_or_download_leaks_nothing",
        "test_clients_that_vanish_leave_nothing_behind",
    )),
    Fault("its upload is cut", "the application never gets a whole request", (
        "test_an_upload_that_is_cut_on_its_way_from_the_client_is_no_whole_request",
    )),
    Fault("it reads slowly", "the application's writes block", (
        "test_a_client_that_reads_slowly_blocks_the_applications_writes",
        "test_a_gigabyte_is_downloaded_by_a_slow_reader_in_flat_memory",
        "test_a_hundred_stalled_downloads_stay_in_bounded_memory",
    )),
    Fault("it does not read at all", "it is dropped after the idle timeout, and the application's connection with it", (
        "test_a_client_that_stops_reading_is_dropped_and_the_application_is_freed",
        "test_a_client_behind_a_network_that_stops_does_not_keep_the_application",
        "test_a_client_that_pipelines_and_never_reads_is_dropped",
    )),
    Fault("neither side moves", "whoever's turn it is, is to blame", (
        "test_when_neither_side_moves_both_connections_end",
    )),
    Fault("its upload stops", "408, and the application hears of it", (
        "test_an_upload_that_stops_is_408_and_the_application_hears_of_it",
    )),
    Fault("its head does not end, or trickles", "408 after the header timeout", (
        "test_a_head_that_does_not_end_in_time_is_408",
        "test_a_head_that_trickles_is_408_all_the_same",
    )),
    Fault("doubt about the framing of a request", "400, 501 or 505, and nothing behind it is read", (
        "test_a_doubtful_head_is_refused_and_nothing_of_it_or_behind_it_is_passed_on",
        "test_a_doubtful_chunked_body_never_ends_well_and_nothing_behind_it_is_passed_on",
        "test_doubt_is_refused_and_nobody_behind_it_gets_anothers_answer",
        "test_whatever_is_sent_nobody_is_out_of_step",
    )),
    Fault("heads without measure", "414 or 431 in bounded memory", (
        "test_what_is_too_large_is_refused_and_what_just_fits_is_not",
        "test_ten_megabytes_of_head_are_refused_in_bounded_memory",
        "test_chunk_extensions_are_dropped_and_bounded",
    )),
    Fault("forbidden trailers", "no trailer is passed on", ("test_trailers_are_never_passed_on",)),
    Fault("forged addresses, and fields named in Connection", "replaced, or refused", (
        "test_what_an_unknown_client_claims_about_itself_is_replaced",
        "test_naming_the_gateways_own_fields_in_connection_does_not_remove_them",
        "test_the_client_is_the_rightmost_address_that_is_no_trusted_proxy",
        "test_claims_made_under_other_names_are_dropped_unless_a_trusted_proxy_makes_them",
    )),
    Fault("paths that applications read differently", "refused by a strict route, passed unchanged by the catch-all", (
        "test_an_ambiguous_path_is_refused_by_a_strict_route_and_passed_unchanged_by_the_catch_all",
    )),
    Fault("upgrades to anything but WebSocket", "an ordinary request", (
        "test_what_is_no_proper_opening_goes_on_as_an_ordinary_request_and_gets_no_tunnel",
    )),
    Fault("a body that trickles, or is too long", "408, or 413 before the application has a whole one", (
        "test_a_body_that_trickles_is_408_and_one_that_is_fast_enough_is_not",
        "test_a_chunked_body_that_grows_beyond_the_bound_is_413_and_the_application_sees_it_cut_short",
    )),
    Fault("more connections than allowed", "turned away; the others go on", (
        "test_connections_beyond_the_cap_are_turned_away_and_the_others_go_on",
    )),
)  # fmt: skip

OURSELVES = (
    Fault("SIGTERM", "not ready, no new connections, Connection: close, a grace for what runs, then an abort", (
        "test_a_running_upload_is_completed_and_its_answer_says_close",
        "test_a_running_download_is_completed",
        "test_what_lasts_longer_than_the_grace_is_cut_logged_and_never_ends_well",
        "test_new_connections_are_left_in_the_socket_for_the_next_worker",
        "test_while_it_drains_the_port_is_closed_and_requests_in_flight_are_waited_for",
        "test_a_drain_closes_with_1001_between_two_frames_and_waits_for_the_answer",
    )),
    Fault("a bad configuration", "refused whole with its lines; the old one stays", (
        "test_a_broken_file_is_refused_with_its_lines_and_nothing_changes_under_load",
        "test_no_wrong_configuration_is_adopted_by_a_running_control",
    )),
    Fault("every connection to an application is in use", "others wait in order; one more than may wait is 503", (
        "test_no_more_connections_than_allowed_are_opened_and_the_others_wait_in_order",
        "test_one_more_than_may_wait_is_503_and_can_try_again",
        "test_who_leaves_the_queue_makes_room_in_it",
    )),
    Fault("no file descriptor is left", "new clients wait in the socket; a request that needs one is our 503", (
        "test_clients_beyond_the_descriptors_wait_in_the_socket_and_are_served_when_others_leave",
        "test_without_a_descriptor_for_the_application_it_is_our_own_503_and_idle_connections_go_on",
    )),
    Fault("a timeout that swallows a cancellation", "asyncio.wait_for is not used", (
        "test_nothing_waits_by_a_function_that_can_swallow_a_cancellation",
    )),
)  # fmt: skip

FRIENDS = (
    Fault("an endpoint that fails again and again", "it is ejected, or its breaker opens; probes bring it back", (
        "test_five_errors_in_a_row_eject_an_endpoint_and_time_brings_it_back",
        "test_a_breaker_opens_lets_exactly_its_probes_through_and_closes",
        "test_a_health_check_takes_an_endpoint_out_and_back",
    )),
    Fault("the DNS does not answer, or answers nonsense", "the last known endpoints stay", (
        "test_trouble_removes_no_endpoint_is_counted_and_said_once",
    )),
    Fault("a storm of failures", "retries are a fifth of the requests, no more", (
        "test_a_storm_of_failures_is_sent_again_to_a_fifth",
    )),
    Fault("the service cannot be reached", "the monolith answers safe requests where the route says so, no others", (
        "test_safe_requests_go_to_the_monolith_when_the_service_cannot_be_reached",
        "test_unsafe_requests_never_go_to_the_monolith",
    )),
    Fault("the limit store is down", "each route does what it declares", (
        "test_while_valkey_is_down_each_route_does_what_it_declares",
        "test_a_frozen_server_is_given_up_in_time_and_then_not_asked_any_more",
    )),
    Fault("a call to the limit store that is cancelled", "its connection is closed: answers never shift by one", (
        "test_a_call_that_is_given_up_takes_its_connection_with_it",
    )),
    Fault("the issuer of tokens is down", "its last keys are used, for as long as that is allowed", (
        "test_while_the_issuer_is_down_its_last_keys_are_used_and_no_longer_than_allowed",
        "test_tokens_by_unknown_keys_are_looked_for_once_a_minute",
        "test_a_frozen_issuer_makes_nobody_wait_but_those_who_need_it",
    )),
    Fault("a token that chooses its own algorithm or key", "401", (
        "test_a_token_that_proves_nothing_is_refused",
    )),
    Fault("identity headers from outside", "no client can set them on any route", (
        "test_no_client_can_say_who_asks_on_any_route",
        "test_no_client_can_take_away_or_replace_what_the_gateway_says",
    )),
    Fault("a policy that is evaded by spelling", "400 or the policy's own answer", (
        "test_no_spelling_of_a_path_reaches_the_application_past_its_route",
        "test_no_method_and_no_connection_reaches_the_application_past_its_route",
    )),
    Fault("a path that leads out of the prefix it is rewritten to", "400", (
        "test_no_spelling_leads_out_of_the_prefix_that_the_path_is_rewritten_to",
    )),
    Fault("a session that makes the monolith fail when it is asked who that is", "503 for that session alone", (
        "test_whoever_sends_what_the_monolith_chokes_on_does_not_lock_out_the_others",
    )),
    Fault("a certificate that cannot be trusted, or used", "502; a bad new pair is refused and the old stays", (
        "test_what_cannot_be_trusted_is_502_with_its_reason_in_the_log_alone",
        "test_a_bad_new_pair_is_refused_with_its_reason_and_the_old_stays",
    )),
    Fault("TLS that ends without a farewell", "half an answer is told from a whole one", (
        "test_an_answer_that_ends_with_the_connection_needs_a_farewell",
        "test_an_answer_that_ends_with_the_connection_is_told_from_half_of_one",
    )),
)  # fmt: skip

FAULTS = (*APPLICATIONS, *CLIENTS, *OURSELVES, *FRIENDS)
