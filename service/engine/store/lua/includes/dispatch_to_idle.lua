-- Jobs that go to an idle worker as they are enqueued: `dispatch_to_idle()` returns what tries to dispatch one, and what sends
-- the messages.

local start, keep_leases, BLANK = lease_job()

-- A worker with nothing to do and its offer (claim.lua); nil where there is none that listens.
local function idle_worker(offers)
  while true do
    local found = redis.call('HRANDFIELD', offers, 1, 'WITHVALUES')
    local worker, offer = found[1], found[2]
    if not worker then return nil end
    local until_ms, lease_ms, slots, known = string.match(offer, '^(%d+) (%d+) (%d+)( .*)$')
    if until_ms and tonumber(until_ms) > now and redis.call('PUBSUB', 'NUMSUB', P .. 'hand:' .. worker)[2] > 0 then
      return worker, tonumber(lease_ms), tonumber(slots), known, until_ms
    end
    redis.call('HDEL', offers, worker)
  end
end

-- A job that finds no other waiting before it, no hold on its queue and a worker with nothing to do is that worker's
-- immediately: woken first, it would have to ask for the job, and the job would wait for that much longer.
local none_idle, dispatched = {}, {}
local function dispatch(j, record)
  if none_idle[j.queue] then return false end
  local holds = redis.call('HMGET', P .. 'queue:' .. j.queue, 'pause', 'limit', 'rate', 'breaker')
  local offers = P .. 'idle:' .. j.queue
  local worker, lease_ms, slots, known, until_ms
  if not (holds[1] or holds[2] or holds[3] or holds[4]) then worker, lease_ms, slots, known, until_ms = idle_worker(offers) end
  if not worker or not string.find(known, ' ' .. j.type .. ' ', 1, true) then
    none_idle[j.queue] = true
    return false
  end
  if slots > 1 then
    redis.call('HSET', offers, worker, string.format('%s %d %d%s', until_ms, lease_ms, slots - 1, known))
  else
    redis.call('HDEL', offers, worker)
  end
  local fields, fence = start(setmetatable(j, BLANK), worker, lease_ms)
  for _, word in ipairs(fields) do record[#record + 1] = word end
  dispatched[#dispatched + 1] = {worker, cmsgpack.pack({j.id, fence, record})}
  return true
end

local function deliver()
  keep_leases()
  for _, one in ipairs(dispatched) do redis.call('PUBLISH', P .. 'hand:' .. one[1], one[2]) end
end

return dispatch, deliver
