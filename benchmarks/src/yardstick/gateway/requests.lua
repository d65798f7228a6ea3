-- What wrk sends: the requests of 64 users' browsers in turn. Some have a header section that no request had before,
-- by a Referer of their own, so that a proxy that remembers sections it has parsed gains nothing from those.
-- Arguments: how many of 100 requests are new in this way; method; target; bytes of the body; a file of tokens, or "-".

local USERS = 64
local HEADERS = {
  "Connection: keep-alive",
  'sec-ch-ua: "Chromium";v="142", "Not_A Brand";v="99"',
  "sec-ch-ua-mobile: ?0",
  'sec-ch-ua-platform: "Linux"',
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  "Accept: application/json, text/plain, */*",
  "Sec-Fetch-Site: same-origin",
  "Sec-Fetch-Mode: cors",
  "Sec-Fetch-Dest: empty",
  "Accept-Encoding: gzip, deflate, br, zstd",
  "Accept-Language: en-GB,en;q=0.9,de;q=0.7",
}

local heads = {}
local sent = 0
local new = 0
-- Runs differ in it: what one run sent must not be known to the next.
local run = tostring({}):sub(8) .. os.time()

local function lines_of(path)
  local lines = {}
  if path ~= "-" then
    for line in io.lines(path) do
      lines[#lines + 1] = line
    end
  end
  return lines
end

local body = ""

function init(arguments)
  new = tonumber(arguments[1])
  local method, target, size = arguments[2], arguments[3], tonumber(arguments[4])
  local tokens = lines_of(arguments[5])
  body = string.rep("x", size)
  for user = 1, USERS do
    heads[user] = method .. " " .. target .. " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port .. "\r\n"
      .. (size > 0 and "Content-Type: application/json\r\nContent-Length: " .. size .. "\r\n" or "")
      .. (tokens[user] and "Authorization: Bearer " .. tokens[user] .. "\r\n" or "")
      .. table.concat(HEADERS, "\r\n") .. "\r\nCookie: theme=dark; session=visitor-" .. user
      .. "\r\nReferer: http://shop.example/products?page="
  end
end

function request()
  sent = sent + 1
  local head = heads[sent % USERS + 1]
  -- 37 and 100 have no common factor: the new ones are spread evenly.
  if (sent * 37) % 100 < new then
    return head .. run .. "-" .. sent .. "\r\n\r\n" .. body
  end
  return head .. "2\r\n\r\n" .. body
end
