-- ARGV: parent id, queue, fence, msgpack list of some of its jobs (as enqueue.lua takes them), meter as JSON, units in
-- all, parts in all, how many parts stand before these. A call makes the parts it brings if it is their turn; one whose
-- parts are there only asks. After an operator's retry the parts that did not complete are queued again, as many a call
-- as there are in ARGV[9]. Answers {parts still to end, parts made, 1 if there is more to queue again, the ids once all
-- have ended}, or {-1} when the lease is lost.

local id, queue = ARGV[1], ARGV[2]
if redis.call('HGET', P .. 'running:' .. queue, id) ~= ARGV[3] then return {-1} end
local key, list = job_key(id), P .. 'parts:' .. id
local total, made = tonumber(ARGV[7]), redis.call('LLEN', list)
local woken = {}

local function make()
  -- Those that are not made yet are waited for too: the first to end must not find that it was the last.
  if made == 0 then
    redis.call('HSET', key, 'meter', ARGV[5], 'units_total', ARGV[6], 'units_done', 0,
      'parts_total', total, 'parts_done', 0, 'parts_failed', 0, 'waiting_parts', total)
    redis.call('HDEL', key, 'redo')
  end
  for _, job in ipairs(cmsgpack.unpack(ARGV[4])) do
    write(job)
    redis.call('RPUSH', list, job.id)
    woken[job.queue] = true
  end
  keep_clock()
  made = redis.call('LLEN', list)
end

-- `redo` holds the place in the list, from 1, where this goes on.
local function again()
  local from, count = tonumber(redis.call('HGET', key, 'redo')), tonumber(ARGV[9])
  if from + count > made then redis.call('HDEL', key, 'redo') else redis.call('HSET', key, 'redo', from + count) end
  for _, part in ipairs(redis.call('LRANGE', list, from - 1, from + count - 2)) do
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

if made < total and made == tonumber(ARGV[8]) then make()
elseif made >= total and redis.call('HEXISTS', key, 'redo') == 1 then again() end
for name in pairs(woken) do wake(name) end
local left = tonumber(redis.call('HGET', key, 'waiting_parts') or 0)
return {left, made, redis.call('HEXISTS', key, 'redo'), left == 0 and redis.call('LRANGE', list, 0, -1) or {}}
