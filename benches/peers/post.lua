-- wrk script of benches/peers.py: requests in turns, and what came of them as one line of JSON.
--   wrk -s benches/peers/post.lua http://127.0.0.1:PORT -- PATH [FILE]
-- FILE has the body of a POST in each line; without one it is a GET. Requests are written out beforehand, for the client shares its
-- processor with the server.
local requests, at = {}, 0

function init(args)
   if not args[2] then
      requests[1] = wrk.format("GET", args[1])
      return
   end
   local headers = {["Content-Type"] = "application/json"}
   for line in io.lines(args[2]) do
      requests[#requests + 1] = wrk.format("POST", args[1], headers, line)
   end
end

function request()
   at = at % #requests + 1
   return requests[at]
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format('{"requests": %d, "seconds": %.6f, "p50_ms": %.6f, "errors": %d}\n', summary.requests,
      summary.duration / 1e6, latency:percentile(50) / 1e3,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
