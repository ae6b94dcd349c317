#!lua
-- includes: load_job; when called: limit_keys
-- Keeps an event for a job that has not ended, and lets the job go on where it waits for it. Returns nothing where there is
-- no such job, else {outcome, state}: kept, same, other (one with another body came before), late, full or ended.

local job_id, name, body, by = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local at_most = tonumber(ARGV[5]) -- events of one job

local j = load(job_id)
if not j or j.parent ~= '' or redis.call('HEXISTS', job_key(job_id), 'deleted_ms') == 1 then return {} end
local events = P .. 'events:' .. job_id
local before = redis.call('HGET', events, 'event:' .. name)
if before then return {before == body and 'same' or 'other', j.state} end
if TERMINAL[j.state] then return {'ended', j.state} end
local due = tonumber(redis.call('HGET', events, 'due:' .. name) or nil)
if due and due <= now then return {'late', j.state} end
if redis.call('HLEN', events) >= 3 * at_most then return {'full', j.state} end
redis.call('HSET', events, 'event:' .. name, body, 'by:' .. name, by)
-- One that still holds its lease is about to be put aside, and finds the event then (settle.lua).
if j.state == 'active' and redis.call('HGET', job_key(job_id), 'waits_event') == name
  and redis.call('HEXISTS', P .. 'running:' .. j.queue, job_id) == 0 then
  redis.call('HSET', job_key(job_id), 'resume', 1, 'message', 'Goes on: the event ' .. name .. ' has come')
  redis.call('HDEL', job_key(job_id), 'waits_event', 'wait_due_ms', 'question')
  ready(j)
  redis.call('PUBLISH', P .. 'event:' .. job_id, 'active')
  wake(j.queue)
end
return {'kept', j.state}
