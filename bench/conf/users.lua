-- Returning users for wrk: each request is the next user's, with that user's cookie. The whole request
-- is made once, so that the load costs the same whichever proxy is measured.
local requests, at = {}, 0

function init(args)
  local fields = {}
  for line in io.lines(args[1]) do fields[#fields + 1] = line end
  for line in io.lines(args[2]) do
    local request = { "GET / HTTP/1.1" }
    for _, field in ipairs(fields) do request[#request + 1] = field end
    if line ~= "" then request[#request + 1] = "Cookie: " .. line end
    requests[#requests + 1] = table.concat(request, "\r\n") .. "\r\n\r\n"
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format(
    "RESULT {\"requests\":%d,\"seconds\":%.6f,\"errors\":%d,\"p50_us\":%d,\"p99_us\":%d}\n",
    summary.requests, summary.duration / 1e6, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
