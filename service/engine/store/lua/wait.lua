#!lua
-- Asks for an event on behalf of an attempt. Returns {here, its body as JSON}; {late} where it did not come in time; {waits}
-- where the job is to be put aside for it; or nothing when the lease is lost.

local id, queue, fence, name = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local timeout_ms = tonumber(ARGV[5]) -- counted from the first time that the job asks
local question, message = ARGV[6], ARGV[7]

local key, events = job_key(id), P .. 'events:' .. id
if redis.call('HGET', P .. 'running:' .. queue, id) ~= fence then return {} end
local body = redis.call('HGET', events, 'event:' .. name)
if not body then redis.call('HSETNX', events, 'due:' .. name, string.format('%.0f', now + timeout_ms)) end
local due = not body and tonumber(redis.call('HGET', events, 'due:' .. name))
if body or due <= now then
  redis.call('HDEL', key, 'waits_event', 'wait_due_ms', 'question')
  return body and {'here', body} or {'late'}
end
redis.call('HSET', key, 'waits_event', name, 'wait_due_ms', string.format('%.0f', due), 'question', question, 'message', message)
return {'waits'}
