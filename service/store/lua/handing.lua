-- Jobs that go to an idle worker as they are enqueued: `handing()` answers what tries to hand one on, and what sends word.

local start, keep_leases, BLANK = taking()

-- A worker with nothing to do, its note (claim.lua) and the queue's notes; nil where there is none that listens.
local function idle_worker(queue)
  local notes = P .. 'idle:' .. queue
  while true do
    local found = redis.call('HRANDFIELD', notes, 1, 'WITHVALUES')
    local worker = found[1]
    if not worker then return nil end
    local note = cmsgpack.unpack(found[2])
    if note.until_ms > now and redis.call('PUBSUB', 'NUMSUB', P .. 'hand:' .. worker)[2] > 0 then
      return worker, note, notes
    end
    redis.call('HDEL', notes, worker)
  end
end

-- A job that finds nobody waiting before it, nobody steering its queue and a worker with nothing to do is that worker's
-- at once: woken first, it would have to ask for the job, and the job would wait for that much longer.
local none_idle, handed = {}, {}
local function hand(j, record)
  if none_idle[j.queue] then return false end
  local steered = redis.call('HMGET', P .. 'queue:' .. j.queue, 'pause', 'limit', 'rate')
  local worker, note, notes
  if not (steered[1] or steered[2] or steered[3]) then worker, note, notes = idle_worker(j.queue) end
  if not worker or not note.known[j.type] then
    none_idle[j.queue] = true
    return false
  end
  note.slots = note.slots - 1
  if note.slots > 0 then redis.call('HSET', notes, worker, cmsgpack.pack(note)) else redis.call('HDEL', notes, worker) end
  local fields, fence = start(setmetatable(j, BLANK), worker, note.lease_ms)
  for _, word in ipairs(fields) do record[#record + 1] = word end
  handed[#handed + 1] = {worker, cmsgpack.pack({j.id, fence, record})}
  return true
end

local function deliver()
  keep_leases()
  for _, one in ipairs(handed) do redis.call('PUBLISH', P .. 'hand:' .. one[1], one[2]) end
end

return hand, deliver
