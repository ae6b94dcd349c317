#!lua flags=no-writes
-- Returns rows of a queue's counts, all of one moment: those of the keys that are asked for, and with their numbers those of
-- the minutes up to a present one that the total does not hold yet.

local queue, present, with_unfolded = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1'
-- Then the keys.

local rows, unfolded = {}, {}
for i = 4, #ARGV do rows[#rows + 1] = redis.call('HGETALL', ARGV[i]) end
if with_unfolded then
  local through = tonumber(redis.call('HGET', P .. 'total:' .. queue, 'through') or nil) or 0
  -- Minutes that have expired hold nothing any more.
  for minute = math.max(through, present - KEEP_MINUTES) + 1, present do
    local row = redis.call('HGETALL', P .. 'minute:' .. queue .. ':' .. minute)
    if #row > 0 then
      unfolded[#unfolded + 1] = minute
      unfolded[#unfolded + 1] = row
    end
  end
end
return {rows, unfolded}
