#!lua
-- includes: create_job, accept_jobs; when called: limit_keys, lease_job, dispatch_to_idle, same_request, take_permits
-- Writes jobs that a client asks for. Returns one {outcome, job id, state} per job; outcome is new, same, conflict, full,
-- or over with the milliseconds to wait (-1: so many are never to be had) in the place of the id, or held where jobs go
-- together and another of them is in conflict, full or over; of a workflow that is there already one
-- {same or conflict, workflow id, ''}.

-- A msgpack list of {id, queue, type, owner, priority, cost, due, fields, find, idem, limit, external, refused,
-- not_after, deadline, unique, debounce, weight, permits}: what is not there is nothing or false.
local jobs = cmsgpack.unpack(ARGV[1])

-- '1' where either all are accepted or none.
local together = ARGV[2] == '1'

-- Where the jobs are a workflow: a msgpack map of its {id, fingerprint} and the fields of its record.
local workflow = ARGV[3] and ARGV[3] ~= '' and cmsgpack.unpack(ARGV[3])
if not workflow then return accept_jobs(jobs, together) end

local key = P .. 'workflow:' .. workflow.id
local fingerprint = redis.call('HGET', key, 'print')
if fingerprint then return {{fingerprint == workflow.fingerprint and 'same' or 'conflict', workflow.id, ''}} end
local answers = accept_jobs(jobs, true)
if answers[1] and answers[1][1] == 'new' then
  redis.call('HSET', key, 'print', workflow.fingerprint, 'left', #jobs, 'created_ms', now, unpack(workflow.fields))
end
return answers
