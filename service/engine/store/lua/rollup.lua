#!lua flags=allow-oom
-- Adds minutes that are over to their hour, their day and the total, each once: the total remembers through which minute
-- it goes. Returns how many minutes are left to fold.

local queue, minutes_at_most = ARGV[1], tonumber(ARGV[2])

local total = P .. 'total:' .. queue
local closed = math.floor(now / 60000) - 1
local through = tonumber(redis.call('HGET', total, 'through') or nil) or closed - KEEP_MINUTES
-- Minutes that have expired hold nothing any more.
through = math.max(through, closed - KEEP_MINUTES)
local last = math.min(closed, through + minutes_at_most)
for minute = through + 1, last do
  local counts = redis.call('HGETALL', P .. 'minute:' .. queue .. ':' .. minute)
  if #counts > 0 then
    local hour = P .. 'hour:' .. queue .. ':' .. math.floor(minute / 60)
    local day = P .. 'day:' .. queue .. ':' .. math.floor(minute / 1440)
    for i = 1, #counts, 2 do
      for _, key in ipairs({hour, day, total}) do redis.call('HINCRBY', key, counts[i], counts[i + 1]) end
    end
    redis.call('EXPIRE', hour, 3024000)
    redis.call('EXPIRE', day, 34560000)
  end
end
redis.call('HSET', total, 'through', math.max(last, through))
return closed - last
