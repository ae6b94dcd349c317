-- A job that could not begin in time. `fields` tell why the attempt before did not do it, where there was one.
local function expire(j, fields, at)
  if #fields == 0 then fields = {'error', 'it could not begin before its not_after', 'error_type', 'Expired'} end
  fields[#fields + 1], fields[#fields + 2] = 'message', 'Expired: it could not begin in time'
  finish(j, 'expired', fields, at)
end
