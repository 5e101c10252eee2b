"""The steps that must not be torn apart, as Lua run inside the store. Keys and arguments are named above each."""

from __future__ import annotations

# KEYS: session, operator, the user's index under the current key, … under older keys
# ARGV: session record, operator record, session's lifetime in ms, index's lifetime in ms, handle, time in ms,
#       most sessions of a user, prefix of session keys, prefix of operator keys
# Returns -1 if the id is taken by another record, else a list of the handles that ended for it.
# An index orders its handles by time of start; of several starts in one millisecond the later one counts as younger.
START = """
local there = redis.call('GET', KEYS[1])
if there then
  if there == ARGV[1] then return {} end
  return -1
end
local order = {}
for i = #KEYS, 3, -1 do
  for _, handle in ipairs(redis.call('ZRANGE', KEYS[i], 0, -1)) do
    if redis.call('EXISTS', ARGV[8] .. handle) == 1 then
      order[#order + 1] = {KEYS[i], handle}
    else
      redis.call('ZREM', KEYS[i], handle)
    end
  end
end
local ended = {}
for i = 1, #order - tonumber(ARGV[7]) + 1 do
  redis.call('DEL', ARGV[8] .. order[i][2], ARGV[9] .. order[i][2])
  redis.call('ZREM', order[i][1], order[i][2])
  ended[#ended + 1] = order[i][2]
end
local score = tonumber(ARGV[6])
local last = redis.call('ZRANGE', KEYS[3], -1, -1, 'WITHSCORES')
if last[2] and tonumber(last[2]) >= score then score = tonumber(last[2]) + 1 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
redis.call('ZADD', KEYS[3], string.format('%.0f', score), ARGV[5])
redis.call('PEXPIRE', KEYS[3], ARGV[4])
return ended
"""

# KEYS: old session, old operator, new session, new operator, the user's index under the current key, … older keys
# ARGV: new session record, new operator record, lifetime in ms, index's lifetime in ms, old handle, new handle,
#       time in ms, the old session record as it was read
# Returns 1; 0 if the old session has ended meanwhile, 2 if another request has written it anew: nothing is written.
ROTATE = """
if redis.call('GET', KEYS[3]) == ARGV[1] then return 1 end
local there = redis.call('GET', KEYS[1])
if not there then return 0 end
if there ~= ARGV[8] then return 2 end
local score = false
for i = 5, #KEYS do
  score = score or redis.call('ZSCORE', KEYS[i], ARGV[5])
  redis.call('ZREM', KEYS[i], ARGV[5])
end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[3])
redis.call('SET', KEYS[4], ARGV[2], 'PX', ARGV[3])
redis.call('ZADD', KEYS[5], score or ARGV[7], ARGV[6])
if redis.call('PTTL', KEYS[5]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[5], ARGV[4]) end
return 1
"""

# KEYS: session, operator
# ARGV: session record, operator record, lifetime in ms, the session record as it was read
# Returns 1; 0 if the session has ended meanwhile: what has ended is never written again; 2 if another request has
# written it: what that one learnt is not overwritten by what was read before.
TOUCH = """
local there = redis.call('GET', KEYS[1])
if not there then return 0 end
if there == ARGV[1] then return 1 end
if there ~= ARGV[4] then return 2 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3], 'XX')
return 1
"""

# KEYS: a lock
# ARGV: the mark that was put there
# Takes the lock away where it is still the caller's own.
UNLOCK = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""
