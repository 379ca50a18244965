-- Counts, for guesses that failed: accounts tried with one password, accounts tried from one block, blocks that tried
-- one account.  Each count is a HyperLogLog, which holds none of what was counted, and lapses as a whole.
--
-- KEYS  the password's, the block's, the account's.
-- ARGV  "look" or "add"; what to add to each; how long a count lives (ms); from which number on each is too many.
-- Returns, for each: 0 usual, 1 too many, 2 too many since just now; then the milliseconds until the last of them lapses.
local act, life = ARGV[1], tonumber(ARGV[5])
local answer, wait = {}, 0
for i, key in ipairs(KEYS) do
  local most = tonumber(ARGV[5 + i])
  local before = redis.call('PFCOUNT', key)
  local count = before
  if act == 'add' then
    redis.call('PFADD', key, ARGV[1 + i])
    if before == 0 then redis.call('PEXPIRE', key, life) end
    count = redis.call('PFCOUNT', key)
  end
  answer[i] = 0
  if count >= most then
    answer[i] = before < most and 2 or 1
    wait = math.max(wait, redis.call('PTTL', key))
  end
end
answer[#KEYS + 1] = wait
return answer
