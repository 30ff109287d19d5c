import { expect, test } from 'vitest'
import { toWorkflowCommand } from './annotation.ts'

test('a remark is one line at its file, whatever people wrote as a reason', () => {
  const remark = {
    level: 'error',
    file: 'functions/shop/card/index.ts',
    title: 'PAIR_QUARANTINED: by Bo, on call',
    message: '100 % of calls\r\n::warning::failed: 500, 502',
  } as const
  expect(toWorkflowCommand(remark)).toBe(
    '::error file=functions/shop/card/index.ts,title=PAIR_QUARANTINED%3A by Bo%2C on call' +
      '::100 %25 of calls%0D%0A::warning::failed: 500, 502',
  )
})
