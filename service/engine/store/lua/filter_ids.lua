-- ARGV: number of conditions n, then n pairs of a record's field and its value, then job ids. Answers those that fit all.

local pairs_end, fields = 1 + 2 * tonumber(ARGV[1]), {}
for i = 2, pairs_end, 2 do fields[#fields + 1] = ARGV[i] end
local fitting = {}
for i = pairs_end + 1, #ARGV do
  local values, fits = redis.call('HMGET', job_key(ARGV[i]), unpack(fields)), true
  for n = 1, #fields do fits = fits and values[n] == ARGV[1 + 2 * n] end
  if fits then fitting[#fitting + 1] = ARGV[i] end
end
return fitting
