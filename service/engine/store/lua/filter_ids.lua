#!lua flags=no-writes
-- Returns those of some job ids whose records fit all conditions.

local conditions = tonumber(ARGV[1])
-- Then as many pairs of a record's field and its value, then the ids.

local pairs_end, fields = 1 + 2 * conditions, {}
for i = 2, pairs_end, 2 do fields[#fields + 1] = ARGV[i] end
local fitting = {}
for i = pairs_end + 1, #ARGV do
  local values, fits = redis.call('HMGET', job_key(ARGV[i]), unpack(fields)), true
  for n = 1, #fields do fits = fits and values[n] == ARGV[1 + 2 * n] end
  if fits then fitting[#fitting + 1] = ARGV[i] end
end
return fitting
