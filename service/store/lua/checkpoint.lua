-- ARGV: job id, queue, fence, field, value. Answers 1, or 0 when the lease is lost and nothing was written.

if redis.call('HGET', P .. 'running:' .. ARGV[2], ARGV[1]) ~= ARGV[3] then return 0 end
redis.call('HSET', P .. 'checkpoint:' .. ARGV[1], ARGV[4], ARGV[5])
return 1
