-- ARGV[1]: msgpack list of jobs, each {id, queue, type, owner, priority, cost, due, fields, find, idem, limit, adopt, refused}.
-- Answers one {outcome, job id, state} a job; outcome is new, same, conflict or full.

local function earlier(job)
  if job.adopt and redis.call('EXISTS', job_key(job.id)) == 1 then return {'same', job.id, ''} end
  if not job.idem then return nil end
  local seen = redis.call('GET', P .. 'idempotency:' .. job.owner .. ':' .. job.idem.key)
  if not seen then return nil end
  local print, id = string.match(seen, '^(%S+) (.+)$')
  local state = redis.call('HGET', job_key(id), 'state')
  if not state then return nil end
  return {print == job.idem.print and 'same' or 'conflict', id, state}
end

local waiting = {}
local function full(job)
  if not job.limit then return nil end
  if not waiting[job.owner] then
    waiting[job.owner] = 0
    for state in pairs(WAITING) do
      waiting[job.owner] = waiting[job.owner] + redis.call('ZCARD', P .. 'owner:' .. job.owner .. ':' .. state)
    end
  end
  if waiting[job.owner] >= job.limit then return {'full', '', ''} end
  waiting[job.owner] = waiting[job.owner] + 1
  return nil
end

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
  if none_idle[j.queue] or not vacant(j.queue) then return false end
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

local woken, answers = {}, {}
local function accept(job)
  local j = write(job, not job.adopt and not job.refused and hand)
  if job.idem then
    redis.call('SET', P .. 'idempotency:' .. job.owner .. ':' .. job.idem.key, job.idem.print .. ' ' .. job.id, 'EX', 86400)
  end
  if job.refused then
    finish(j, 'failed', {'error', job.refused, 'error_type', 'Refused'})
  elseif j.state == 'queued' then
    woken[job.queue] = true
  end
  return {'new', job.id, j.state == 'active' and 'queued' or j.state}
end

for i, job in ipairs(cmsgpack.unpack(ARGV[1])) do answers[i] = earlier(job) or full(job) or accept(job) end
keep_clock()
keep_leases()
for _, one in ipairs(handed) do redis.call('PUBLISH', P .. 'hand:' .. one[1], one[2]) end
for queue in pairs(woken) do wake(queue) end
return answers
