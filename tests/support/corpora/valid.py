"""Requests that nobody may refuse: what browsers, tools, libraries and proxies send, and what is odd but legal.

The heads are made up after what such programs send; names and values are this project's own.
"""
# ruff: noqa: E501 - it is a table

from support.raw_http import chunked, request

LONG_COOKIE = "; ".join(f"k{number}={'v' * 60}" for number in range(100))
FORM = (
    b'--b0undary\r\nContent-Disposition: form-data; name="file"; filename="a b.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\nGET / HTTP/1.1\r\nHost: evil\r\n\r\n\r\n--b0undary--\r\n"
)
_HINTS = ('Sec-Ch-Ua: "Chromium";v="142", "Not A(Brand";v="99"', "Sec-Ch-Ua-Mobile: ?0", 'Sec-Ch-Ua-Platform: "Linux"')
_ENGLISH = "Accept-Language: en-US,en;q=0.9,de;q=0.8"
_HTML = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"

BROWSERS = {
    "a browser's navigation": request(
        "GET", "/products?page=2&sort=-price", "Connection: keep-alive", *_HINTS, "Upgrade-Insecure-Requests: 1",
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
        _HTML, "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: navigate", "Sec-Fetch-User: ?1", "Sec-Fetch-Dest: document",
        "Referer: https://shop.example/?q=%E2%82%AC", "Accept-Encoding: gzip, deflate, br, zstd", _ENGLISH,
        "Cookie: session=eyJ1IjoxfQ.Zx.abc-_; theme=dark; _ga=GA1.2.3", "Priority: u=0, i",
    ),
    "another browser's navigation": request(
        "GET", "/", "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0", _HTML,
        _ENGLISH, "Accept-Encoding: gzip, deflate, br", "DNT: 1", "Sec-GPC: 1", "Connection: keep-alive",
        "If-Modified-Since: Tue, 24 Nov 2026 02:00:00 GMT", 'If-None-Match: W/"abc", "d,e"', "Cache-Control: max-age=0",
    ),
    "a telephone's browser": request(
        "GET", "/a.js", "Accept: */*", "Connection: keep-alive", "Range: bytes=0-1",
        "User-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile/1",
    ),
    "a preflight": request(
        "OPTIONS", "/api/cart", "Origin: https://www.shop.example", "Access-Control-Request-Method: PUT",
        "Access-Control-Request-Headers: content-type,x-csrf-token", "Access-Control-Request-Private-Network: true",
    ),
    "a form": request(
        "POST", "/login", "Content-Type: application/x-www-form-urlencoded", "Origin: null", body=b"user=a%26b&pass=%00+c"
    ),
    "a form with a file that looks like a request": request(
        "POST", "/upload", "Content-Type: multipart/form-data; boundary=b0undary", body=FORM
    ),
    "a fetch of JSON": request("PATCH", "/cart/1", "content-type: application/json", body='{"n": "ü"}'.encode()),
    "an event stream": request("GET", "/events", "Accept: text/event-stream", "Last-Event-ID: 7", "Cache-Control: no-cache"),
    "a beacon": request("POST", "/beacon", "Content-Type: text/plain;charset=UTF-8", "Keep-Alive: 300", body=b"x"),
    "cookies of six thousand bytes": request("GET", "/", f"Cookie: {LONG_COOKIE}"),
    "cookies in two fields": request("GET", "/", "Cookie: a=1", "Cookie: b=2"),
    "a proxy's connection": request("GET", "/", "Proxy-Connection: keep-alive", "Proxy-Authorization: Basic eDp5"),
}  # fmt: skip

TOOLS = {
    "curl": request("GET", "/", "User-Agent: curl/8.11.0", "Accept: */*"),
    "curl that uploads": request("PUT", "/f", "User-Agent: curl/8.11.0", "Expect: 100-continue", body=b"x" * 2000),
    "curl that could be upgraded": request(
        "GET", "/", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"
    ),
    "a program without any field": request("GET", "/"),
    "a library with names in lower case": request("POST", "/", "user-agent: node", "accept: */*", body=b"{}"),
    "a library that spells in its own way": request("GET", "/", "USER-AGENT: x", "aCCept:*/*", "X-LOUD:yes"),
    "a health check of HTTP/1.0": request("GET", "/health", "User-Agent: probe", version="1.0"),
    "a load generator of HTTP/1.0": request("GET", "/", "Connection: Keep-Alive", version="1.0"),
    "HTTP/1.0 without a Host": request("GET", "/", host=None, version="1.0"),
    "a crawler": request("GET", "/robots.txt", "From: bot@search.example", "User-Agent: bot/2.1 (+http://search.example)"),
    "SOAP": request("POST", "/soap", 'SOAPAction: ""', "Content-Type: text/xml; charset=utf-8", body=b"<a/>"),
    "a search with a body": request("GET", "/_search", "Content-Type: application/json", body=b'{"query": {}}'),
    "a deletion with a body": request("DELETE", "/cart", body=b'["a"]'),
    "an empty POST": request("POST", "/empty", body=b""),
    "a GET that announces no body": request("GET", "/", "Content-Length: 0"),
    "calendars": request("PROPFIND", "/dav/", "Depth: 1", "Brief: t", body=b"<propfind/>"),
    "a copy": request("MOVE", "/a", "Destination: http://shop.example/b", "Overwrite: T"),
    "a purge": request("PURGE", "/page"),
    "a report": request("REPORT", "/dav", body=b"<r/>"),
    "a trace": request("TRACE", "/", "Max-Forwards: 0"),
    "streamed in chunks": request("POST", "/", "TE: trailers", chunks=(b"a", b"bb", b"c" * 5000)),
    "chunks without content": request("POST", "/", chunks=()),
    "gRPC for browsers": request(
        "POST", "/p.S/M", "Content-Type: application/grpc-web+proto", "X-Grpc-Web: 1", "grpc-timeout: 1S",
        body=b"\0\0\0\0\2hi",
    ),
}  # fmt: skip

PROXIES = {
    "a network for content": request(
        "GET", "/", "X-Forwarded-For: 203.0.113.9, 2001:db8::1", "X-Forwarded-Proto: https", "Via: 1.1 varnish, 2 edge",
        "CDN-Loop: edge; count=1", "CF-Ray: 8f1-FRA", 'CF-Visitor: {"scheme":"https"}', "True-Client-IP: 203.0.113.9",
    ),
    "a load balancer": request(
        "GET", "/", "X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678", "X-Forwarded-Port: 443",
        'Forwarded: for="[2001:db8::1]:4711";proto=https;by=_edge', "X-Real-IP: 203.0.113.9",
    ),
    "a mesh": request(
        "GET", "/", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "baggage: a=b;c=d,e=f",
        "tracestate: rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "x-b3-traceid: 463ac35c9f6413ad48485a3953bb6124",
        "X-Request-ID: 5f2b3c1e-1b1c-4a7e-9c1d-0a1b2c3d4e5f",
    ),
    "absolute-form": request("GET", "http://shop.example/a?b", "Via: 1.0 fred"),
    "absolute-form without a path": request("GET", "http://shop.example"),
    "an asterisk": request("OPTIONS", "*"),
    "everything that belongs to one hop": request(
        "GET", "/", "Connection: close, X-Hop, TE", "X-Hop: 1", "TE: trailers, deflate;q=0.5", "Trailer: X-T",
        "Keep-Alive: timeout=5, max=100",
    ),
}  # fmt: skip

ODD = {
    "a value that is empty": request("GET", "/", "X-Empty:", "X-Empty2: ", "Accept: "),
    "whitespace around values": request("GET", "/", "X-A:   b \t ", "X-B:\tc\t", "X-C:d"),
    "whitespace within values": request("GET", "/", "X-A: b \t c    d"),
    "every letter that a name may have": request("GET", "/", "!#$%&'*+-.^_`|~09AZaz: x"),
    "names of one letter": request("GET", "/", "a: 1", "B: 2", "-: 3", "!: 4"),
    "a name with an underscore": request("GET", "/", "X_Custom: 1"),
    "a name that begins like another": request(
        "GET", "/", "Content-Length-Hint: 7", "Hosting: x", "Transfer-Encodings: y"
    ),
    "letters beyond ASCII in a value": request("GET", "/", "X-Name: J\u00fcrgen \u00ff\u0080"),
    "quotes and separators in a value": request("GET", "/", 'X-Q: "a\\"b, c"; d="e:f"', "X-R: ,,;;::=="),
    "the same field five times": request("GET", "/", *(f"X-List: {n}" for n in range(5))),
    "a hundred fields": request("GET", "/", *(f"X-{n}: {n}" for n in range(99))),
    "a field of fifteen thousand bytes": request("GET", "/", f"X-Long: {'y' * 15_000}"),
    "a name of two hundred bytes": request("GET", "/", f"{'X' * 200}: y"),
    "a Host with a port": request("GET", "/", host="shop.example:8080"),
    "a Host with an empty port": request("GET", "/", host="shop.example:"),
    "a Host in capitals": request("GET", "/", host="SHOP.Example"),
    "a Host with a final dot": request("GET", "/", host="shop.example."),
    "a Host that is an address": request("GET", "/", host="127.0.0.1:80"),
    "a Host that is an IPv6 address": request("GET", "/", host="[2001:db8::1]:8000"),
    "a Host with an underscore": request("GET", "/", host="my_shop"),
    "a Host behind other fields": request("GET", "/", "A: b", "Host: shop.example", host=None),
    "a query of seven thousand bytes": request("GET", f"/?q={'a' * 7000}"),
    "an empty query": request("GET", "/?"),
    "question marks in a query": request("GET", "/?a?b=c??"),
    "brackets, bars and quotes in a target": request("GET", '/a[0]{b}|^`"<>?c[]=d|e'),
    "escapes": request("GET", "/%E2%82%AC/%20/a%2Bb?c=%26%3D%23"),
    "an encoded slash": request("GET", "/a%2Fb%5Cc"),
    "double slashes": request("GET", "//a//b/"),
    "dots": request("GET", "/a/./b/../c/..."),
    "parameters of a segment": request("GET", "/a;jsessionid=1;v=2/b;c"),
    "a colon and an at-sign in a path": request("GET", "/user:me@here/!$&'()*+,="),
    "an address in a query": request("GET", "/go?to=http://other.example/?x=y#z".replace("#", "%23")),
    "chunk sizes in capitals and with zeros": request("POST", "/", "Transfer-Encoding: chunked")
    + b"00000A\r\n0123456789\r\n0b\r\n0123456789a\r\n000\r\n\r\n",
    "chunk extensions": request("POST", "/", "Transfer-Encoding: chunked")
    + b'3;a=b;c="d;e"\r\nabc\r\n1;x\r\nd\r\n0;last\r\n\r\n',
    "trailers": request("POST", "/", "Trailer: X-Sum", "Transfer-Encoding: chunked")
    + b"1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n",
    "chunked in other letters": request("POST", "/", "TRANSFER-ENCODING: ChunKed") + chunked(b"abc"),
    "a length between whitespace": request("POST", "/", "content-length: \t 3 \t") + b"abc",
    "a body of every byte": request("POST", "/", body=bytes(range(256))),
    "a body that looks like an end of chunks": request("POST", "/", body=b"0\r\n\r\n"),
    "chunks that look like requests": request("POST", "/", chunks=(request("GET", "/inner"), b"0\r\n\r\n")),
    "an empty line before the request": b"\r\n" + request("GET", "/"),
    "an expectation in other letters": request("POST", "/", "Expect: 100-Continue", body=b"abc"),
    "a Connection that says nothing": request("GET", "/", "Connection: keep-alive, ,keep-alive,"),
    "an upgrade to what is not offered": request("GET", "/", "Connection: upgrade", "Upgrade: TLS/1.0, IRC/6.9"),
}

VALID = {**BROWSERS, **TOOLS, **PROXIES, **ODD}
