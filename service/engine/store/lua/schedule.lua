#!lua
-- includes: create_job; when called: limit_keys
-- Begins a schedule's run, or records the outcome of its slots. Returns begun, same (the slot's job is there), skipped and the job in the way, late (another was quicker), or noted.

local name = ARGV[1]
local seen = ARGV[2] -- the slot through which it was seen; '' not to ask
local through = ARGV[3] -- the slot through which it is now
local skips = ARGV[4] == '1' -- while the run before has not ended
local notes = cmsgpack.unpack(ARGV[5]) -- a list of {id, time in ms, run as JSON}
-- False, or {job, run as JSON when it begins, run as JSON when it is skipped, time in ms}.
local start = cmsgpack.unpack(ARGV[6])

local key, order, runs = P .. 'schedule:' .. name, P .. 'schedule-order:' .. name, P .. 'schedule-runs:' .. name
if seen ~= '' then
  if redis.call('HGET', key, 'through') ~= seen then return {'late', ''} end
  redis.call('HSET', key, 'through', through)
end

local function note(id, at, run)
  redis.call('ZADD', order, at, id)
  redis.call('HSET', runs, id, run)
  for _, old in ipairs(redis.call('ZRANGE', order, 0, -61)) do
    redis.call('ZREM', order, old)
    redis.call('HDEL', runs, old)
  end
end

for _, one in ipairs(notes) do note(one[1], one[2], one[3]) end
if not start then return {'noted', ''} end
local job = start[1]
if redis.call('EXISTS', job_key(job.id)) == 1 then return {'same', job.id} end
if skips then
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
