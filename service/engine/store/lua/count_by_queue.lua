#!lua flags=no-writes
-- Counts jobs of an index by the queue that their records name. Returns {how many were looked at, queue, count, queue, …}.

local index = ARGV[1]
local from, count = tonumber(ARGV[2]), tonumber(ARGV[3])

local ids, by_queue = redis.call('ZRANGE', index, from, from + count - 1), {}
for _, id in ipairs(ids) do
  local queue = redis.call('HGET', job_key(id), 'queue')
  if queue then by_queue[queue] = (by_queue[queue] or 0) + 1 end
end
local answer = {#ids}
for queue, number in pairs(by_queue) do answer[#answer + 1], answer[#answer + 2] = queue, number end
return answer
