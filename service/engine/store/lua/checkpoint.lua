-- ARGV: job id, queue, fence, name, value. The first value under a name stays.
-- Answers the value that stands, or nothing when the lease is lost and nothing was written.

if redis.call('HGET', P .. 'running:' .. ARGV[2], ARGV[1]) ~= ARGV[3] then return false end
redis.call('HSETNX', P .. 'checkpoint:' .. ARGV[1], ARGV[4], ARGV[5])
return redis.call('HGET', P .. 'checkpoint:' .. ARGV[1], ARGV[4])
