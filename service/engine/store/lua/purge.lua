#!lua flags=allow-oom
-- includes: load_job, finish_job, list_job; when called: limit_keys
-- Removes jobs that have ended for good, with their parts and every index entry. Returns how many.

local job_ids = ARGV

local function erase(one)
  redis.call('DEL', job_key(one), P .. 'attempts:' .. one, P .. 'checkpoint:' .. one, P .. 'parts:' .. one,
    P .. 'log:' .. one, P .. 'events:' .. one,
    'arq:job:' .. one, 'arq:result:' .. one)
end

-- A part may still be stopping when its parent goes: its lease would count against the queue's limit forever.
local function erase_part(id)
  local j = load(id)
  if j and not TERMINAL[j.state] then
    unlease(j)
    if j.limits ~= "" then let_go(j) end
    place(j.queue, id)
    if BACKLOG[j.state] then change(backlog, j.queue, (backlog[j.queue] or 0) - j.cost) end
  end
  erase(id)
end

-- Those that wait for a job that is gone would wait forever: they are cancelled. One that is queued again waits for those
-- that are left.
local function cancel_followers(id, gone)
  local kept = redis.call('HMGET', job_key(id), 'followers', 'released')
  if not kept[1] or kept[2] then return end
  for _, follower_id in ipairs(cmsgpack.unpack(kept[1])) do
    local follower = load(follower_id)
    if follower and follower.state == 'scheduled' then
      finish(follower, 'cancelled', {'message', 'Cancelled: a job before it was deleted'})
      cancel_followers(follower_id, false)
    end
    if follower and gone then redis.call('HINCRBY', job_key(follower_id), 'waits_for', -1) end
  end
end

local function leave_workflow(j)
  if j.workflow == '' then return end
  cancel_followers(j.id, true)
  local key = P .. 'workflow:' .. j.workflow
  if redis.call('EXISTS', key) == 1 and redis.call('HINCRBY', key, 'left', -1) <= 0 then redis.call('DEL', key) end
end

local gone = 0
for _, id in ipairs(job_ids) do
  local j = load(id)
  if j and TERMINAL[j.state] then
    for _, part in ipairs(redis.call('LRANGE', P .. 'parts:' .. id, 0, -1)) do erase_part(part) end
    leave_workflow(j)
    list(j, 'ZREM')
    erase(id)
    gone = gone + 1
  end
  if not j or TERMINAL[j.state] then redis.call('ZREM', P .. 'bin', id) end
end
return gone
