#!lua flags=allow-oom
-- Carries out some commands in one go, on a server without memory too: for what is bounded, and must be known of just then.
-- Returns what each returned.

local commands = cmsgpack.unpack(ARGV[1]) -- a list of lists of words

local answers = {}
for i, words in ipairs(commands) do answers[i] = redis.call(unpack(words)) end
return answers
