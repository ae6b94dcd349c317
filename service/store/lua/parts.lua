-- ARGV: parent id, queue, fence, msgpack list of jobs (as enqueue.lua takes them), meter as JSON, units in all.
-- The first call makes the parts; a later one only asks. After an operator's retry the parts that did not complete are
-- queued again. Answers {parts still to end, part ids…}, or {-1} when the lease is lost.

local id, queue = ARGV[1], ARGV[2]
if redis.call('HGET', P .. 'running:' .. queue, id) ~= ARGV[3] then return {-1} end
local key, list = job_key(id), P .. 'parts:' .. id
local woken = {}

local function make()
  local jobs = cmsgpack.unpack(ARGV[4])
  redis.call('HSET', key, 'meter', ARGV[5], 'units_total', ARGV[6], 'units_done', 0,
    'parts_total', #jobs, 'parts_done', 0, 'parts_failed', 0, 'waiting_parts', #jobs)
  for _, job in ipairs(jobs) do
    write(job)
    redis.call('RPUSH', list, job.id)
    woken[job.queue] = true
  end
  keep_clock()
end

local function again()
  for _, part in ipairs(redis.call('LRANGE', list, 0, -1)) do
    local j = load(part)
    if j and (j.state == 'failed' or j.state == 'cancelled') then
      if j.state == 'failed' then redis.call('HINCRBY', key, 'parts_failed', -1) end
      redis.call('HINCRBY', key, 'waiting_parts', 1)
      arq_entry(j)
      requeue(j, {'tries_base', j.attempt, 'crashes', 0, 'error', '', 'cancel_requested', ''})
      redis.call('HDEL', job_key(part), 'finished_ms')
    end
  end
end

if redis.call('EXISTS', list) == 0 then make() elseif redis.call('HDEL', key, 'redo') == 1 then again() end
for name in pairs(woken) do wake(name) end
return {tonumber(redis.call('HGET', key, 'waiting_parts')), redis.call('LRANGE', list, 0, -1)}
