-- New jobs: for scripts that make some.

-- Stamps rise from job to job, also where the server's clock was set back: the last one is kept. It is read and set by one
-- command where the call makes one job only.
local last_stamp, kept_stamp
local function keep_clock()
  if last_stamp == kept_stamp then return end
  redis.call('SET', P .. 'clock', string.format('%.0f', last_stamp))
  kept_stamp = last_stamp
end
local function next_stamp()
  if last_stamp then
    last_stamp = last_stamp + 1
  else
    local before = tonumber(redis.call('SET', P .. 'clock', string.format('%.0f', now_us), 'GET') or nil)
    last_stamp, kept_stamp = now_us, now_us
    if before and before >= now_us then
      last_stamp = before + 1
      keep_clock()
    end
  end
  return string.format('%.0f', last_stamp)
end

-- A new job whose key is full stands under that key, and in no queue.
local limits
local function parked(j)
  limits = limits or limit_keys()
  local k, why, due = limits.blocker(j)
  if not k then return false end
  limits.park(j, turn_of(j), k, why, due)
  return true
end

-- Write a new job's record, its place in the queue and its indexes. `hand`, where given, may find it a worker at once:
-- then it answers true and has added to the record what that changes. Of a field that stands twice, the later one counts.
local function write(job, hand)
  local j = {id = job.id, queue = job.queue, type = job.type, owner = job.owner, priority = job.priority,
    cost = job.cost, parent = job.parent or '', state = '', stamp = next_stamp(), deadline_ms = job.deadline,
    weight = job.weight, limits = job.limits or '',
    arq_format = job.external and 'msgpack' or ''}
  local state = (job.due > now or job.after) and 'scheduled' or 'queued'
  local record = {'state', state, 'type', job.type, 'queue', job.queue, 'owner', job.owner,
    'priority', job.priority, 'cost', job.cost, 'stamp', j.stamp, 'created_ms', now,
    'ready_ms', math.max(job.due, now), unpack(job.fields)}
  if j.parent ~= '' then record[#record + 1], record[#record + 2] = 'parent', job.parent end
  if job.weight then record[#record + 1], record[#record + 2] = 'weight', tostring(job.weight) end
  tally(j, 'enqueued', 1)
  if job.workflow then record[#record + 1], record[#record + 2] = 'workflow', job.workflow end
  if job.followers then record[#record + 1], record[#record + 2] = 'followers', cmsgpack.pack(job.followers) end
  if job.after then
    -- It stands in no queue until those before it have ended: finish_job.lua puts it there.
    record[#record + 1], record[#record + 2] = 'waits_for', job.after
    if job.due > now then record[#record + 1], record[#record + 2] = 'due_ms', job.due end
  elseif state == 'scheduled' then
    record[#record + 1], record[#record + 2] = 'due_ms', job.due
    place(job.queue, job.id, job.due)
  elseif job.limits and parked(j) then -- until the key has room
  elseif hand and hand(j, record) then
    state = 'active'
  else
    ready(j)
  end
  if job.limits then record[#record + 1], record[#record + 2] = 'limits', job.limits end
  if job.not_after then
    record[#record + 1], record[#record + 2] = 'not_after_ms', job.not_after
    place(P .. 'expiring', job.id, job.not_after)
  end
  if job.deadline then record[#record + 1], record[#record + 2] = 'deadline_ms', job.deadline end
  if #job.find > 0 then
    record[#record + 1], record[#record + 2] = 'find', cmsgpack.pack(job.find)
    for _, find in ipairs(job.find) do place(P .. 'find:' .. find, job.id, j.stamp) end
  end
  redis.call('HSET', job_key(job.id), unpack(record))
  if job.external and not job.own_entry then redis.call('PERSIST', 'arq:job:' .. job.id) else arq_entry(j) end
  move(j, state)
  return j
end
