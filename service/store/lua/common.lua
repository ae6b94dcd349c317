-- Shared by every script beside this file: it is put in front of each before loading.
-- Scripts build key names from ids, so they need one Redis (with replicas if wanted), not Redis Cluster.

local P = 'offload:'
-- Ready jobs are scored this far in the past; deferred jobs by their due time, running ones by the end of their lease.
local H = 315360000000
-- Without this bound a queue whose costs are underestimated would age its low-priority jobs too slowly.
local MAX_LAG = 3600000
local HEAD_START = {high = 600000, normal = 0, low = -600000}
local WAITING = {queued = true, scheduled = true, retrying = true}
local DEFERRED = {scheduled = true, retrying = true}
local TERMINAL = {completed = true, failed = true, cancelled = true}

local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local now = math.floor(now_us / 1000)
local READY = now - H / 2

local FIELDS = {'state', 'queue', 'type', 'owner', 'priority', 'cost', 'stamp', 'parent', 'waiting_parts', 'attempt', 'retries', 'tries_base',
  'ready_ms', 'units_done', 'cancel_requested', 'created_ms', 'started_ms', 'arq_format'}

local function job_key(id) return P .. 'job:' .. id end

-- The fields that moving a job needs, or nil when there is no such job.
local function load(id)
  local v = redis.call('HMGET', job_key(id), unpack(FIELDS))
  if not v[1] then return nil end
  local j = {id = id}
  for i, name in ipairs(FIELDS) do j[name] = v[i] or '' end
  j.cost = tonumber(j.cost) or 0
  return j
end

-- The whole record: as a table of all its fields, and as the flat list that HGETALL answers.
local BLANK = {__index = function() return '' end}
local function load_whole(id)
  local flat, j = redis.call('HGETALL', job_key(id)), {}
  for i = 1, #flat, 2 do j[flat[i]] = flat[i + 1] end
  if not j.state then return nil end
  j.id, j.cost = id, tonumber(j.cost) or 0
  return setmetatable(j, BLANK), flat
end

-- What one call counts, places and removes is written at its end (service/store/scripts.py), each key in one command: a
-- batch of a hundred jobs costs little more than one. Whoever reads such a key within the call calls write_out() first.
local placed, removed, backlog, counted = {}, {}, {}, {}

-- Where a member of a sorted set comes to stand; without a score it leaves.
local function place(key, member, score)
  local members = placed[key]
  if not members then
    members = {}
    placed[key] = members
  end
  members[member] = score or false
end

local function remove(key) removed[#removed + 1] = key end

local function count(queue, field, by)
  local fields = counted[queue]
  if not fields then
    fields = {}
    counted[queue] = fields
  end
  fields[field] = (fields[field] or 0) + by
end
-- Lua passes no more than some thousand arguments at once.
local function send(words, ...)
  local head = {...}
  for i = 1, #words, 1000 do
    local command = {unpack(head)}
    for k = i, math.min(i + 999, #words) do command[#command + 1] = words[k] end
    redis.call(unpack(command))
  end
end

local function write_out()
  for key, members in pairs(placed) do
    local come, go = {}, {}
    for member, score in pairs(members) do
      if score then
        come[#come + 1] = score
        come[#come + 1] = member
      else
        go[#go + 1] = member
      end
    end
    send(come, 'ZADD', key)
    send(go, 'ZREM', key)
  end
  send(removed, 'DEL')
  for queue, by in pairs(backlog) do
    if by ~= 0 then redis.call('HINCRBY', P .. 'queue:' .. queue, 'backlog_ms', by) end
  end
  for queue, fields in pairs(counted) do
    local key = P .. 'minute:' .. queue .. ':' .. math.floor(now / 60000)
    for field, by in pairs(fields) do
      if redis.call('HINCRBY', key, field, by) == by then redis.call('EXPIRE', key, 172800) end
    end
  end
  placed, removed, backlog, counted = {}, {}, {}, {}
end

-- What happened to jobs is counted by type: a queue's own figure is the sum over `|`, and parts stand apart with a `/`.
local function tally(j, field, by) count(j.queue, field .. (j.parent == '' and '|' or '/') .. j.type, by) end

-- One more duration in a distribution: its bucket (service/metrics/buckets.py) under `letter`, its length under `sum`.
local function clocked(j, letter, sum, ms)
  local bucket = ms <= 1 and 0 or math.min(81, math.ceil(3 * math.log(ms) / math.log(2) - 1e-9))
  tally(j, letter .. bucket, 1)
  if ms > 0 then tally(j, sum, ms) end
end

local function index(j, state, verb)
  if j.parent ~= '' then return end
  local score = verb == 'ZADD' and j.stamp
  place(P .. 'type:' .. j.type .. ':' .. state, j.id, score)
  place(P .. 'owner:' .. j.owner .. ':' .. state, j.id, score)
end

-- Dead letters of one cause stand together under its fingerprint.
local function group(j, verb)
  if j.parent ~= '' then return end
  local v = redis.call('HMGET', job_key(j.id), 'fingerprint', 'error', 'error_type')
  local print = v[1]
  if not print or print == '' then return end
  local jobs, key = P .. 'error-jobs:' .. print, P .. 'error:' .. print
  if verb == 'ZREM' then redis.call('ZREM', jobs, j.id) return end
  redis.call('ZADD', jobs, j.stamp, j.id)
  redis.call('ZADD', P .. 'errors', now, print)
  redis.call('HSETNX', key, 'first_ms', now)
  redis.call('HSET', key, 'last_ms', now, 'type', j.type, 'queue', j.queue, 'error', v[2] or '', 'error_type', v[3] or '',
    'sample', j.id)
  redis.call('HINCRBY', key, 'seen', 1)
  if redis.call('HGET', key, 'life') == 'resolved' then redis.call('HSET', key, 'life', 'regressed') end
end

-- The one place where a job changes state: indexes, backlog estimate and event go with it.
local function move(j, to)
  local from = j.state
  if from ~= to then
    if from ~= '' then index(j, from, 'ZREM') end
    index(j, to, 'ZADD')
    if from == 'failed' then group(j, 'ZREM') elseif to == 'failed' then group(j, 'ZADD') end
    local was, is = WAITING[from] or false, WAITING[to] or false
    if was ~= is then backlog[j.queue] = (backlog[j.queue] or 0) + (is and j.cost or -j.cost) end
    j.state = to
  end
  -- Nobody can be watching a job that is only now written.
  if from ~= '' then redis.call('PUBLISH', P .. 'event:' .. j.id, to) end
end

-- The virtual time at which a newcomer to the queue starts; the same for all of one call.
local bases = {}
local function base_of(queue)
  if bases[queue] then return bases[queue] end
  local state_key, base = P .. 'queue:' .. queue, now
  if #redis.call('ZRANGEBYSCORE', queue, '-inf', READY, 'LIMIT', 0, 1) > 0 then
    local v = tonumber(redis.call('HGET', state_key, 'virtual_ms') or nil)
    if v then base = math.max(v, now - MAX_LAG) end
  else
    -- An idle queue owes nobody anything: its virtual time starts afresh.
    redis.call('HSET', state_key, 'virtual_ms', now)
  end
  bases[queue] = base
  return base
end

-- Put a job into its queue's fair order. Its tag is the later of the queue's virtual time and its flow's last tag,
-- as in start-time fair queueing (Goyal, Vin, Cheng, 1996); priority moves it by a fixed span of that time.
local flows = {}
local function ready(j)
  local fair_key, tag = P .. 'fair:' .. j.queue, base_of(j.queue)
  local flow = j.parent ~= '' and 'job:' .. j.parent or 'owner:' .. j.owner
  local known = fair_key .. ' ' .. flow
  if flows[known] == nil then flows[known] = tonumber(redis.call('ZSCORE', fair_key, flow) or nil) or false end
  local last = flows[known]
  if last and last > tag then tag = last end
  local span = j.cost
  if span < 100 then span = 100 end
  -- A long job must not push its owner's next one far away: its parts have a flow of their own.
  if j.parent == '' and span > 30000 then span = 30000 end
  flows[known] = tag + span
  place(fair_key, flow, tag + span)
  place(j.queue, j.id, tag - H - (HEAD_START[j.priority] or 0))
end

local function wake(queue, word) redis.call('PUBLISH', P .. 'wake:' .. queue, word or 'work') end

local function unlease(j)
  redis.call('HDEL', P .. 'running:' .. j.queue, j.id)
  remove('arq:in-progress:' .. j.id)
end

local function end_arq(j)
  place(j.queue, j.id)
  place('arq:abort', j.id)
  remove('arq:job:' .. j.id)
end

local function arq_result(j, success, value)
  local pack = j.arq_format == 'json' and cjson.encode or cmsgpack.pack
  redis.call('SET', 'arq:result:' .. j.id, pack({t = tonumber(j.attempt), f = j.type, a = {j.id}, k = {}, s = success,
    et = tonumber(j.created_ms), r = value, st = tonumber(j.started_ms) or now, ft = now, q = j.queue, id = j.id}), 'PX', 600000)
end

-- `entry` is JSON text; the last 50 stay.
local function note_attempt(id, entry)
  local key = P .. 'attempts:' .. id
  if redis.call('RPUSH', key, entry) > 50 then redis.call('LTRIM', key, -50, -1) end
end

-- What arq's client reads: the entry of a waiting job, and for ten minutes the result of one that ended. A job that came
-- from a plain arq client keeps that client's format; a cancelled one leaves no result, for which arq wants an exception.
local function arq_entry(j)
  redis.call('SET', 'arq:job:' .. j.id, cmsgpack.pack({t = 1, f = j.type, a = {j.id}, k = {}, et = now}))
end

-- A part has ended: its parent's counts follow, and after the last one the parent is ready to go on.
local function part_ended(j)
  local key = job_key(j.parent)
  local parent = load(j.parent)
  if not parent or TERMINAL[parent.state] then return end
  redis.call('HINCRBY', key, j.state == 'completed' and 'parts_done' or 'parts_failed', 1)
  local left = redis.call('HINCRBY', key, 'waiting_parts', -1)
  redis.call('PUBLISH', P .. 'event:' .. j.parent, parent.state)
  -- A parent that still holds its lease is about to be put aside, and will see the count itself.
  if left == 0 and redis.call('HEXISTS', P .. 'running:' .. parent.queue, parent.id) == 0 then
    redis.call('HSET', key, 'resume', 1)
    ready(parent)
    wake(parent.queue)
  end
end

-- Bring a job to a terminal state. `fields` is a flat list of what to write beside it.
local function finish(j, state, fields)
  end_arq(j)
  redis.call('HSET', job_key(j.id), 'state', state, 'finished_ms', now, 'cancel_requested', '', 'worker', '', unpack(fields))
  move(j, state)
  tally(j, state, 1)
  if j.parent ~= '' then part_ended(j)
  elseif state ~= 'failed' then place(P .. 'finished:' .. j.queue, j.id, now) end
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

local last_stamp
local function next_stamp()
  last_stamp = math.max(now_us, (last_stamp or tonumber(redis.call('GET', P .. 'clock') or '0')) + 1)
  return string.format('%.0f', last_stamp)
end
local function keep_clock()
  if last_stamp then redis.call('SET', P .. 'clock', string.format('%.0f', last_stamp)) end
end

-- Write a new job's record, its place in the queue and its indexes.
local typed = {}
local function write(job)
  local state = job.due > now and 'scheduled' or 'queued'
  local j = {id = job.id, queue = job.queue, type = job.type, owner = job.owner, priority = job.priority,
    cost = job.cost, parent = job.parent or '', state = '', stamp = next_stamp()}
  local fields = job.fields
  if #job.find > 0 then
    fields[#fields + 1], fields[#fields + 2] = 'find', cmsgpack.pack(job.find)
    for _, find in ipairs(job.find) do place(P .. 'find:' .. find, job.id, j.stamp) end
  end
  if state == 'scheduled' then fields[#fields + 1], fields[#fields + 2] = 'due_ms', job.due end
  redis.call('HSET', job_key(job.id), 'id', job.id, 'type', job.type, 'queue', job.queue, 'owner', job.owner,
    'priority', job.priority, 'cost', job.cost, 'parent', j.parent, 'state', state, 'stamp', j.stamp, 'created_ms', now,
    'ready_ms', math.max(job.due, now), unpack(fields))
  if job.adopt then redis.call('PERSIST', 'arq:job:' .. job.id) else arq_entry(j) end
  if not typed[job.type] then
    redis.call('SADD', P .. 'types:' .. job.queue, job.type)
    typed[job.type] = true
  end
  if state == 'scheduled' then place(job.queue, job.id, job.due) else ready(j) end
  move(j, state)
  tally(j, 'enqueued', 1)
  return j
end

-- 12345 as 12,345, as Python's progress messages have it.
local function grouped(n)
  local text, times = string.format('%.0f', n), 1
  while times > 0 do text, times = string.gsub(text, '^(%d+)(%d%d%d)', '%1,%2') end
  return text
end

-- Units of a part (or of the job itself) are done: the counts, and the bar that they move, only rise.
local function advance(j, units_done)
  local key, before = job_key(j.id), tonumber(j.units_done) or 0
  if units_done <= before then return end
  -- A job that gets on is not what kills its workers, however often they die under it.
  redis.call('HSET', key, 'units_done', units_done, 'crashes', 0)
  if j.parent == '' then return end
  local parent_key = job_key(j.parent)
  local done = redis.call('HINCRBY', parent_key, 'units_done', units_done - before)
  local m = redis.call('HMGET', parent_key, 'meter', 'progress', 'units_total', 'state')
  if not m[1] or TERMINAL[m[4]] then return end
  local meter, total = cjson.decode(m[1]), tonumber(m[3])
  if done > total then done = total end
  local percent = math.floor(meter.low + (meter.high - meter.low) * done / math.max(total, 1))
  percent = math.max(percent, tonumber(m[2]) or 0)
  local words = {done = grouped(done), total = grouped(total), percent = percent}
  local message = string.gsub(meter.message, '{(%w+)}', function(name) return tostring(words[name] or '') end)
  local data = cjson.decode(redis.call('HGET', parent_key, 'data') or '{}')
  data[meter.done_key], data[meter.total_key] = done, total
  redis.call('HSET', parent_key, 'progress', percent, 'message', message, 'data', cjson.encode(data))
  redis.call('PUBLISH', P .. 'event:' .. j.parent, 'progress')
end

-- Take a job out of every list, or put it back; its record stays.
local function list(j, verb)
  index(j, j.state, verb)
  local v = redis.call('HMGET', job_key(j.id), 'find', 'finished_ms')
  for _, name in ipairs(v[1] and cmsgpack.unpack(v[1]) or {}) do
    place(P .. 'find:' .. name, j.id, verb == 'ZADD' and j.stamp)
  end
  if j.state == 'failed' then group(j, verb)
  else place(P .. 'finished:' .. j.queue, j.id, verb == 'ZADD' and v[2]) end
end

-- Stop whatever of a job's parts has not ended. The parent is not told: it is ending itself.
local function cancel_parts(id)
  for _, part in ipairs(redis.call('LRANGE', P .. 'parts:' .. id, 0, -1)) do
    local j = load(part)
    if j and WAITING[j.state] then
      end_arq(j)
      redis.call('HSET', job_key(part), 'state', 'cancelled', 'finished_ms', now)
      move(j, 'cancelled')
      redis.call('HINCRBY', job_key(id), 'waiting_parts', -1)
    elseif j and j.state == 'active' then
      redis.call('HSET', job_key(part), 'cancel_requested', now)
      wake(j.queue, 'cancel ' .. part)
    end
  end
end
