#!lua
-- includes: load_job, finish_job, create_job, accept_jobs; when called: limit_keys, lease_job, dispatch_to_idle, same_request, take_permits
-- As enqueue.lua, for jobs of which some may be refused: those that a plain arq client enqueued.

local jobs = cmsgpack.unpack(ARGV[1])

return accept_jobs(jobs)
