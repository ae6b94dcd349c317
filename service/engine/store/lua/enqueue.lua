#!lua
-- includes: create_job, accept_jobs; when called: lease_job, dispatch_to_idle, same_request
-- Writes jobs that somebody asks for. Returns one {outcome, job id, state} a job; outcome is new, same,
-- conflict or full, or held where jobs go together and another of them is in conflict or full.

-- A msgpack list of {id, queue, type, owner, priority, cost, due, fields, find, idem, limit, adopt, refused,
-- not_after, deadline, unique, debounce}: what is not there is nothing or false.
local jobs = cmsgpack.unpack(ARGV[1])

-- '1' where either all are accepted or none.
local together = ARGV[2] == '1'

return accept_jobs(jobs, together)
