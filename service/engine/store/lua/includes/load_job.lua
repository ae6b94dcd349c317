-- Jobs that are there already: for scripts that do more than make new ones.

local FIELDS = {'state', 'queue', 'type', 'owner', 'priority', 'cost', 'stamp', 'parent', 'waiting_parts', 'attempt', 'retries', 'tries_base',
  'ready_ms', 'units_done', 'cancel_requested', 'created_ms', 'started_ms', 'arq_format',
  'not_after_ms', 'deadline_ms', 'callback_url', 'workflow', 'weight', 'limits', 'blocked_by', 'crashes'}

-- The fields that moving a job needs, or nil when there is no such job.
local function load(id)
  local v = redis.call('HMGET', job_key(id), unpack(FIELDS))
  if not v[1] then return nil end
  local j = {id = id}
  for i, name in ipairs(FIELDS) do j[name] = v[i] or '' end
  j.cost = tonumber(j.cost) or 0
  return j
end

local function remove(key) change(removed, #removed + 1, key) end

local limits
function let_go(j)
  limits = limits or limit_keys()
  limits.leave(j)
end

-- Dead letters of one cause stand together under its fingerprint.
function group(j, verb)
  if j.parent ~= '' then return end
  local v = redis.call('HMGET', job_key(j.id), 'fingerprint', 'error', 'error_type')
  local fingerprint = v[1]
  if not fingerprint or fingerprint == '' then return end
  local jobs, key = P .. 'error-jobs:' .. fingerprint, P .. 'error:' .. fingerprint
  if verb == 'ZREM' then redis.call('ZREM', jobs, j.id) return end
  redis.call('ZADD', jobs, j.stamp, j.id)
  redis.call('ZADD', P .. 'errors', now, fingerprint)
  redis.call('HSETNX', key, 'first_ms', now)
  redis.call('HSET', key, 'last_ms', now, 'type', j.type, 'queue', j.queue, 'error', v[2] or '', 'error_type', v[3] or '',
    'sample', j.id)
  redis.call('HINCRBY', key, 'seen', 1)
  if redis.call('HGET', key, 'life') == 'resolved' then redis.call('HSET', key, 'life', 'regressed') end
end
