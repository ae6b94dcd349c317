#!lua
-- includes: load_job, finish_job, create_job; when called: limit_keys
-- Makes a group of parts of a job. A call makes those it brings if it is their turn; one whose parts are there only asks. After an
-- operator's retry the parts that did not complete are queued again. Returns {parts still to end, parts made, 1 if there
-- is more to queue again, the ids once all have ended}; or {-1} when the lease is lost; or {-2, parts} where an earlier
-- attempt made another number of them.

local id, queue, fence = ARGV[1], ARGV[2], ARGV[3] -- of the parent
local jobs = ARGV[4] -- msgpack list of some of its parts, as enqueue.lua takes them
local meter = ARGV[5] -- JSON
local units, total = ARGV[6], tonumber(ARGV[7]) -- of all parts; how many parts there are
local before = tonumber(ARGV[8]) -- how many parts stand before these
local again_at_most = tonumber(ARGV[9]) -- parts that a call queues again
local number = tonumber(ARGV[10]) -- of the group, from 1: a job makes its parts in one group or several, one after the other

if redis.call('HGET', P .. 'running:' .. queue, id) ~= fence then return {-1} end
local key, list = job_key(id), P .. 'parts:' .. id
local all = redis.call('LLEN', list)
local kept = redis.call('HMGET', key, 'part_groups', 'parts_total')
local sizes, offset = {}, 0
for size in string.gmatch(kept[1] or '', '%d+') do sizes[#sizes + 1] = tonumber(size) end
-- A release that knew one group a job noted no sizes.
if #sizes == 0 and all > 0 and kept[2] then sizes[1] = tonumber(kept[2]) end
local promised = sizes[number]
if promised and promised ~= total then return {-2, promised} end
for n = 1, math.min(number - 1, #sizes) do offset = offset + sizes[n] end
local made = math.max(0, math.min(all - offset, total))
local woken = {}

local function make()
  -- Those that are not made yet are waited for too: the first to end must not find that it was the last.
  if not promised then
    sizes[#sizes + 1] = total
    redis.call('HSET', key, 'meter', meter, 'units_total', units, 'units_done', 0, 'part_groups', table.concat(sizes, ' '))
    redis.call('HINCRBY', key, 'parts_total', total)
    redis.call('HINCRBY', key, 'waiting_parts', total)
    redis.call('HDEL', key, 'redo', 'waits_event')
  end
  for _, job in ipairs(cmsgpack.unpack(jobs)) do
    write(job)
    redis.call('RPUSH', list, job.id)
    woken[job.queue] = true
  end
  keep_clock()
  all = redis.call('LLEN', list)
  made = math.max(0, math.min(all - offset, total))
end

-- `redo` holds the place in the list, from 1, where this goes on.
local function again()
  local from, count = tonumber(redis.call('HGET', key, 'redo')), again_at_most
  if from + count > all then redis.call('HDEL', key, 'redo') else redis.call('HSET', key, 'redo', from + count) end
  for _, part in ipairs(redis.call('LRANGE', list, from - 1, from + count - 2)) do
    local j = load(part)
    if j and (j.state == 'failed' or j.state == 'cancelled') then
      if j.state == 'failed' then redis.call('HINCRBY', key, 'parts_failed', -1) end
      redis.call('HINCRBY', key, 'waiting_parts', 1)
      arq_entry(j)
      requeue(j, {'tries_base', j.attempt, 'crashes', 0, 'error', '', 'permanent', '', 'cancel_requested', ''})
      redis.call('HDEL', job_key(part), 'finished_ms')
    elseif j and j.cancel_requested ~= '' then
      -- Its worker is still stopping it, for the end that the retry has taken back: it is queued when that is done.
      redis.call('HSET', job_key(part), 'cancel_requested', '', 'wanted_again', 1)
    end
  end
end

if made < total and made == before then make()
elseif made >= total and redis.call('HEXISTS', key, 'redo') == 1 then again() end
for name in pairs(woken) do wake(name) end
local left = tonumber(redis.call('HGET', key, 'waiting_parts') or 0)
return {left, made, redis.call('HEXISTS', key, 'redo'), left == 0 and redis.call('LRANGE', list, offset, offset + total - 1) or {}}
