-- ARGV: schedule, the slot through which it was seen ('' not to ask), the slot through which it is now, 1 to skip while
-- the run before has not ended, msgpack list of notes {id, time in ms, run as JSON}, msgpack of false or of
-- {job, run as JSON when it begins, run as JSON when it is skipped, time in ms}.
-- Answers begun, same (the slot's job is there), skipped and the job in the way, late (another was quicker), or noted.

local key, order, runs = P .. 'schedule:' .. ARGV[1], P .. 'schedule-order:' .. ARGV[1], P .. 'schedule-runs:' .. ARGV[1]
if ARGV[2] ~= '' then
  if redis.call('HGET', key, 'through') ~= ARGV[2] then return {'late', ''} end
  redis.call('HSET', key, 'through', ARGV[3])
end

local function note(id, at, run)
  redis.call('ZADD', order, at, id)
  redis.call('HSET', runs, id, run)
  for _, old in ipairs(redis.call('ZRANGE', order, 0, -61)) do
    redis.call('ZREM', order, old)
    redis.call('HDEL', runs, old)
  end
end

for _, one in ipairs(cmsgpack.unpack(ARGV[5])) do note(one[1], one[2], one[3]) end
local start = cmsgpack.unpack(ARGV[6])
if not start then return {'noted', ''} end
local job = start[1]
if redis.call('EXISTS', job_key(job.id)) == 1 then return {'same', job.id} end
if ARGV[4] == '1' then
  local last = redis.call('HGET', key, 'job')
  local state = last and redis.call('HGET', job_key(last), 'state')
  if state and not TERMINAL[state] then
    note(job.id, start[4], start[3])
    return {'skipped', last}
  end
end
write(job)
keep_clock()
wake(job.queue)
redis.call('HSET', key, 'job', job.id)
note(job.id, start[4], start[2])
return {'begun', job.id}
