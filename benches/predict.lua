-- wrk script: POST /v1/HARDWARE/predict with BATCH architectures a request, other ones in each.
--   wrk -s benches/predict.lua http://127.0.0.1:8080 -- HARDWARE BATCH FILE
-- FILE has one architecture a line, as canonical text. Repeated rows would train the branch predictor.
local architectures, at, batch, path = {}, 0, 1, nil
local threads = 0

function setup(thread)
   thread:set("offset", threads * 997)
   threads = threads + 1
end

function init(args)
   path = "/v1/" .. args[1] .. "/predict"
   batch = tonumber(args[2])
   for line in io.lines(args[3]) do
      architectures[#architectures + 1] = '"' .. line .. '"'
   end
   at = offset
end

function request()
   local chosen = {}
   for i = 1, batch do
      at = at % #architectures + 1
      chosen[i] = architectures[at]
   end
   return wrk.format("POST", path, nil, '{"architectures": [' .. table.concat(chosen, ",") .. "]}")
end

function done(summary, latency)
   local seconds = summary.duration / 1e6
   local errors = summary.errors
   io.write(string.format("%d architectures a request: %.0f requests/s, %.0f architectures/s, p50 %.2f ms, p99 %.2f ms, ",
      batch_of(), summary.requests / seconds, summary.requests * batch_of() / seconds,
      latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
   io.write(string.format("%d errors\n", errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end

-- `done` runs outside of the threads, which alone have seen the arguments.
function batch_of()
   return tonumber(os.getenv("BATCH"))
end
