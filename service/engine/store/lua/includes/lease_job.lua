-- Jobs that go to a worker: `lease_job()` makes what it takes, for scripts that lease some.

-- A record whose fields are empty where nothing has been written yet.
local BLANK = {__index = function() return '' end}

local leased, limits = {}, nil

-- A fence is the number of the job's lease and the time it was given, in milliseconds of a cycle of 17 minutes. A primary that
-- takes over may not know the last lease, and gives its number again: without the time, two workers would hold one fence.
local CYCLE_MS = 1048576
local function next_fence(fence)
  return (math.floor((tonumber(fence) or 0) / CYCLE_MS) + 1) * CYCLE_MS + now % CYCLE_MS
end

-- Lease `j` to `worker` for `lease` ms. Returns what that changes in its record as a flat list, and the fence.
local function start(j, worker, lease)
  local fence = next_fence(j.fence)
  local fields = {'state', 'active', 'worker', worker, 'fence', fence}
  local function set(field, value) fields[#fields + 1], fields[#fields + 2] = field, value end
  if j.resume == '' then
    set('attempt', (tonumber(j.attempt) or 0) + 1)
    set('started_ms', now)
    if j.first_started_ms == '' then set('first_started_ms', now) end
    tally(j, 'started', 1)
    clocked(j, 'w', 'wait_ms', math.max(0, now - (tonumber(j.ready_ms) or now)))
  end
  if j.limits ~= '' then
    limits = limits or limit_keys()
    limits.acquire(j, j.resume == '')
  end
  local leases = leased[j.queue] or {}
  leases[#leases + 1], leases[#leases + 2] = j.id, fence
  leased[j.queue] = leases
  place(j.queue, j.id, now + lease)
  redis.call('SET', 'arq:in-progress:' .. j.id, fence, 'PX', lease)
  return fields, fence
end

local function keep_leases()
  for queue, leases in pairs(leased) do send(leases, 'HSET', P .. 'running:' .. queue) end
end

return start, keep_leases, BLANK
