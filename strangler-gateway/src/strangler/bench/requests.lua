-- What wrk sends: the requests of a file, one after the other and again from the first. Argument: the file, in which
-- each request has its length in bytes and a newline before it.
-- It says «begun» when all is read, so that saturation.py knows from when on it counts; what it prints in the end, one
-- line of JSON, is read there, too.

local requests = {}
local sent = 0

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  while true do
    local length = file:read("*l")
    if length == nil then break end
    requests[#requests + 1] = file:read(tonumber(length))
  end
  file:close()
  print("begun")
  io.flush()
end

function request()
  sent = sent + 1
  return requests[(sent - 1) % #requests + 1]
end

function done(summary)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "microseconds": %d, "connect": %d, "read": %d, "write": %d, "timeout": %d, "status": %d}',
    summary.requests, summary.duration, errors.connect, errors.read, errors.write, errors.timeout, errors.status))
end
