-- Jobs that leave where they are: for scripts that end some, or queue them again.

local function unlease(j)
  redis.call('HDEL', P .. 'running:' .. j.queue, j.id)
  remove('arq:in-progress:' .. j.id)
end

-- Whether a plain arq client has asked for the end of any job: of most queues none ever does.
local asked
local function aborting()
  if asked == nil then asked = redis.call('EXISTS', 'arq:abort') == 1 end
  return asked
end

local function end_arq(j)
  place(j.queue, j.id)
  if aborting() then place('arq:abort', j.id) end
  remove('arq:job:' .. j.id)
end

-- `entry` is JSON text; the last 50 stay.
local function note_attempt(id, entry)
  local key = P .. 'attempts:' .. id
  if redis.call('RPUSH', key, entry) > 50 then redis.call('LTRIM', key, -50, -1) end
end

-- A part has ended: its parent's counts follow, and after the last one the parent is ready to go on.
local function part_ended(j)
  local key = job_key(j.parent)
  local parent = load(j.parent)
  if not parent then return end
  -- Counted also where the parent has ended before its parts: a retry would else wait for one that has long ended.
  if j.state == 'completed' then redis.call('HINCRBY', key, 'parts_done', 1)
  elseif j.state == 'failed' then redis.call('HINCRBY', key, 'parts_failed', 1) end
  local left = redis.call('HINCRBY', key, 'waiting_parts', -1)
  if TERMINAL[parent.state] then return end
  redis.call('PUBLISH', P .. 'event:' .. j.parent, parent.state)
  -- Only one that is put aside is called back: one that holds its lease will see the count itself, one that waits has its
  -- place and its next attempt.
  if left == 0 and parent.state == 'active' and redis.call('HEXISTS', P .. 'running:' .. parent.queue, parent.id) == 0 then
    redis.call('HSET', key, 'resume', 1)
    ready(parent)
    wake(parent.queue)
  end
end

-- A webhook tells what was true at the end: a job that is queued again says something else by the time of its delivery.
local TOLD = {'type', 'queue', 'owner', 'state', 'progress', 'message', 'data', 'created_ms', 'started_ms', 'first_started_ms',
  'finished_ms', 'attempt', 'error', 'result', 'artefacts', 'callback_url', 'sealed_as'}

-- Record an end that a webhook wants to know of: the job names a URL, or its owner has webhooks for such ends. Written with the
-- end, so that no death of a process comes between (service/webhooks/dispatcher.py takes it from there).
local wanted = {}
local function wants(owner, event)
  if wanted[owner] == nil then wanted[owner] = redis.call('HGET', P .. 'webhooks:owners', owner) or '' end
  return string.find(wanted[owner], event, 1, true)
end

local function tell(j, state)
  if (j.callback_url or '') == '' and not wants(j.owner, state) then return end
  local v, record = redis.call('HMGET', job_key(j.id), unpack(TOLD)), {}
  for i, name in ipairs(TOLD) do
    if v[i] then record[#record + 1], record[#record + 2] = name, v[i] end
  end
  local number = redis.call('HINCRBY', job_key(j.id), 'ends', 1)
  change(events, #events + 1, cmsgpack.pack({j.id, number, record}))
end

-- Count an end that the mail addresses of its owner are alerted to, and keep the ids of the last ten: how many there are
-- changes nothing of what it costs (service/monitoring/owner_alerts takes it from there).
local ALERTED_IDS = 10
local alerted = {}
local function count_for_alerts(j, kind)
  if alerted[j.owner] == nil then alerted[j.owner] = redis.call('HGET', P .. 'owner-alerts:owners', j.owner) or '' end
  if not string.find(alerted[j.owner], kind, 1, true) then return end
  local key = P .. 'owner-alerts:ends:' .. j.owner
  local number = redis.call('HINCRBY', key, kind, 1)
  redis.call('HSET', key, kind .. ':' .. number % ALERTED_IDS, j.id)
end

local function requeue(j, fields)
  -- What was deferred has been ready since it was due, however late that was noticed.
  if not DEFERRED[j.state] then redis.call('HSET', job_key(j.id), 'ready_ms', now) end
  redis.call('HSET', job_key(j.id), 'state', 'queued', 'worker', '', unpack(fields))
  redis.call('HDEL', job_key(j.id), 'due_ms')
  ready(j)
  move(j, 'queued')
  wake(j.queue)
end

-- A job of a workflow has ended: those after it begin once nothing else keeps them. One that did not complete keeps them
-- until a retry has, unless the workflow goes on whatever becomes of its jobs.
local function release_followers(j)
  local key = job_key(j.id)
  local kept = redis.call('HMGET', key, 'followers', 'goes_on')
  if not kept[1] or (j.state ~= 'completed' and not kept[2]) then return end
  -- A failed job has released them already where it goes on, and may complete by a retry.
  if redis.call('HSETNX', key, 'released', 1) == 0 then return end
  for _, id in ipairs(cmsgpack.unpack(kept[1])) do
    local follower = load(id)
    if follower and redis.call('HINCRBY', job_key(id), 'waits_for', -1) == 0 and follower.state == 'scheduled' then
      local due = tonumber(redis.call('HGET', job_key(id), 'due_ms') or nil)
      redis.call('HSET', job_key(id), 'message', '')
      if due and due > now then
        place(follower.queue, id, due)
        redis.call('PUBLISH', P .. 'event:' .. id, 'scheduled')
        wake(follower.queue)
      else
        requeue(follower, {'ready_ms', now})
      end
    end
  end
end

local WORST = {completed = 0, cancelled = 1, expired = 2, failed = 3}

-- Record that a workflow has ended, where a webhook wants to know: no job of it runs or will run without a retry. A job that was
-- only waiting for others ends no workflow: it had ended before.
local function tell_workflow(j)
  local key = P .. 'workflow:' .. j.workflow
  local v = redis.call('HMGET', key, 'jobs', 'callback_url')
  if not v[1] or ((v[2] or '') == '' and not wants(j.owner, 'workflow.ended')) then return end
  if (tonumber(redis.call('HGET', job_key(j.id), 'waits_for') or nil) or 0) > 0 then return end
  local state, jobs = 'completed', {}
  for name, job in pairs(cjson.decode(v[1])) do
    local one = redis.call('HMGET', job_key(job[1]), 'state', 'waits_for')
    local its = one[1] or 'cancelled'
    local waits = (tonumber(one[2] or nil) or 0) > 0
    if not TERMINAL[its] and not waits then return end
    jobs[name] = {job[1], its}
    local worst = TERMINAL[its] and its or 'cancelled'
    if WORST[worst] > WORST[state] then state = worst end
  end
  local number = redis.call('HINCRBY', key, 'ends', 1)
  change(events, #events + 1, cmsgpack.pack({'workflow', j.workflow, number, {owner = j.owner, state = state, ended_ms = now,
    callback_url = v[2] or '', jobs = jobs}}))
end

-- Bring a job to a terminal state. `fields` is a flat list of what to write with it; `at` is when it ended, where that is
-- not now.
local function finish(j, state, fields, at)
  end_arq(j)
  if (j.cancel_requested or '') ~= '' then fields[#fields + 1], fields[#fields + 2] = 'cancel_requested', '' end
  redis.call('HSET', job_key(j.id), 'state', state, 'finished_ms', at or now, 'worker', '', unpack(fields))
  move(j, state)
  tally(j, state, 1)
  -- The end of a delivery is not delivered: each would be followed by another.
  if j.parent == '' and j.queue ~= 'webhooks' then tell(j, state) end
  if j.parent == '' and state == 'failed' then count_for_alerts(j, 'failed') end
  if j.parent ~= '' then part_ended(j)
  elseif state ~= 'failed' then place(P .. 'finished:' .. j.queue, j.id, at or now) end
  if j.workflow ~= '' then
    release_followers(j)
    tell_workflow(j)
  end
end

-- Stop whatever of a job's parts has not ended. The parent is not told: it is ending itself.
local function cancel_parts(id)
  for _, part in ipairs(redis.call('LRANGE', P .. 'parts:' .. id, 0, -1)) do
    local j = load(part)
    if j and WAITING[j.state] then
      end_arq(j)
      redis.call('HSET', job_key(part), 'state', 'cancelled', 'finished_ms', now)
      move(j, 'cancelled')
      tally(j, 'cancelled', 1)
      redis.call('HINCRBY', job_key(id), 'waiting_parts', -1)
    elseif j and j.state == 'active' then
      redis.call('HSET', job_key(part), 'cancel_requested', now)
      wake(j.queue, 'cancel ' .. part)
    end
  end
end
