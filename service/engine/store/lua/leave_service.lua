#!lua flags=allow-oom
-- includes: service_breaker
-- Ends one use of an external service, and notes the outcome. Returns {-1, ms, kind, pause} where the job is to be put back and to
-- spend no try, {1} where the breaker has closed, else {0}.

local name, holder = ARGV[1], ARGV[2]
local ended = ARGV[3] -- completed, failed, or nothing: it says nothing about the service
local job, root = ARGV[4], ARGV[5] -- parts of one job are one job, their root
local print, problem = ARGV[6], ARGV[7]
local after, first_ms = tonumber(ARGV[8]), tonumber(ARGV[9]) -- jobs in a row that open the breaker (0: never), and for how long
local share = tonumber(ARGV[10])

redis.call('ZREM', P .. 'service:' .. name, holder)
redis.call('ZREM', P .. 'service-waiting:' .. name, holder)
local key, failing = P .. 'service-state:' .. name, P .. 'service-failing:' .. name
local _, b, counted = state_of(name)

if b and b.canary_use == holder then
  if ended == 'completed' then
    redis.call('HDEL', key, 'breaker')
    note(name, 'closed', b)
    return {1}
  end
  b.canary, b.canary_use = nil, nil
  if ended == 'failed' then
    -- It is still out of order, with another error perhaps.
    b.print, b.error = print, problem
    b.wait_ms = math.min(2 * b.wait_ms, 20 * first_ms)
    b.until_ms = now + b.wait_ms
  end
  keep_breaker(name, b)
  if ended == 'failed' then return refuse_open(name, job, share, b) end
  return {0}
end
if b then
  if ended == 'failed' and b.print == print then return refuse_open(name, job, share, b) end
  return {0}
end
if ended == 'completed' and counted then
  redis.call('HDEL', key, 'failing')
  redis.call('DEL', failing)
end
if ended ~= 'failed' or after == 0 then return {0} end
if counted ~= print then
  redis.call('DEL', failing)
  redis.call('HSET', key, 'failing', print)
end
redis.call('SADD', failing, root)
redis.call('PEXPIRE', failing, DAY_MS)
local jobs = redis.call('SCARD', failing)
if jobs < after then return {0} end
b = {print = print, error = problem, jobs = jobs, since_ms = now, until_ms = now + first_ms, wait_ms = first_ms}
redis.call('HDEL', key, 'failing')
redis.call('DEL', failing)
keep_breaker(name, b)
note(name, 'opened', b)
return refuse_open(name, job, share, b)
