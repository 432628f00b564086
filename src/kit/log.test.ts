import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { prettyLine } from './log-line.ts'
import { createLog, type LogOptions } from './log.ts'
import { maskedText } from './redact.ts'

function logged(options: Partial<LogOptions>, use: (log: ReturnType<typeof createLog>) => void): string[] {
  const lines: string[] = []
  use(createLog({ level: 'info', write: (line) => lines.push(line), pretty: false, ...options }))
  return lines
}

test('a line is one JSON object with level, time and message', () => {
  const lines = logged({}, (log) => log.info({ repository: 'shop/api' }, 'pushed'))
  assert.equal(lines.length, 1)
  assert.match(
    lines[0] ?? '',
    /^\{"level":"info","time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","repository":"shop\/api","msg":"pushed"\}\n$/,
  )
})

test('the level holds back what is less severe', () => {
  const lines = logged({ level: 'warn' }, (log) => {
    log.info('no')
    log.warn('yes')
    log.error('yes')
  })
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { msg: string }).msg),
    ['yes', 'yes'],
  )
  assert.deepEqual(
    logged({ level: 'silent' }, (log) => log.fatal('no')),
    [],
  )
})

test('secrets stay out, wherever they stand', () => {
  const lines = logged({}, (log) => {
    log.info({ authorization: 'hush', headers: { Authorization: 'hush', Cookie: 'hush', 'set-cookie': ['hush'], accept: '*/*' } }, 'a')
    log.info(
      { body: { user: { password: 'hush', newPassword: 'hush', access_token: 'hush', refreshToken: 'hush', clientSecret: 'hush' } } },
      'b',
    )
    log.info({ list: [{ token: 'hush' }], adminPassword: 'hush' }, 'c')
    log.child({ token: 'hush' }).info('d')
    log.error(
      new Error('postgres://admin:hush@db/x refused; sent Authorization: Bearer hush.hush.hush and Basic aHVzaDpodXNo'),
      'e Basic aHVzaDpodXNo',
    )
    log.info({ url: 'https://u:hush@h/x' }, 'f https://u:hush@h/x')
    log.info({ url: '/x?a=1&access_token=hush&b=2&X-Amz-Signature=hush' }, 'g')
    log.info({ said: 'lzr_hush-hush_hush0123456789' }, 'h lzr_hush-hush_hush0123456789.')
  })
  assert.equal(lines.length, 8)
  for (const line of lines) assert.doesNotMatch(line, /hush|aHVzaDpodXNo/)
  assert.match(lines[0] ?? '', /"accept":"\*\/\*"/)
})

test('what only looks like a secret stays', () => {
  const [line] = logged({}, (log) =>
    log.info({ tokens: 3, url: 'http://h:5000/v2/', basicAuth: true, hasPassword: true }, 'basic check of a:b@c'),
  )
  assert.match(line ?? '', /"tokens":3,"url":"http:\/\/h:5000\/v2\/","basicAuth":true,"hasPassword":true,"msg":"basic check of a:b@c"/)
})

test('an error carries its stack and its cause', () => {
  const [line] = logged({}, (log) => log.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed'))
  const { err } = JSON.parse(line ?? '') as { err: { message: string; stack: string } }
  assert.match(err.stack, /inner/)
  assert.match(err.message, /outer/)
})

test('fields of cyclic or deep shape end, and class instances are not walked', () => {
  const cyclic: Record<string, unknown> = {}
  cyclic.self = cyclic
  const lines = logged({}, (log) => log.info({ cyclic, when: new Date(0), bytes: Buffer.from('a') }, 'x'))
  assert.match(lines[0] ?? '', /\[deep\]/)
  assert.match(lines[0] ?? '', /1970-01-01/)
})

test('the line for people: time, level, message, fields, stack', () => {
  const lines = logged({ pretty: true, env: { NO_COLOR: '1' } }, (log) => {
    log.warn({ repository: 'shop/api', reason: 'two words', n: 3 }, 'held')
    log.error(new Error('broken'), 'failed')
  })
  assert.match(lines[0] ?? '', /^\d\d:\d\d:\d\d\.\d{3} warn {2}held {2}repository=shop\/api {2}reason="two words" {2}n=3\n$/)
  assert.match(lines[1] ?? '', /^\S+ error failed\n {4}Error: broken\n {4}at /)
  const [colored] = logged({ pretty: true, env: {} }, (log) => log.info('x'))
  assert.match(colored ?? '', /\u001b\[36minfo/)
})

test('nothing in a line acts on the terminal', () => {
  const line = prettyLine(
    JSON.stringify({
      level: 'info',
      time: '2026-01-01T00:00:00.000Z',
      msg: 'a\u001b[2Jb\u202ec\r',
      'k\u0007': '\u009b',
      err: { stack: 'x\u001b]0;t\u0007' },
    }),
    false,
  )
  assert.doesNotMatch(line, /[^\P{Cc}\n]|\p{Cf}/u)
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
      assert.doesNotMatch(prettyLine(text, false), /[^\P{Cc}\n]|\p{Cf}/u)
    }),
  )
})

test('masking takes time in proportion to the line', () => {
  const started = performance.now()
  for (const piece of ['://', '://a:', 'Basic ', '?token', ':@', '://a:b']) maskedText(piece.repeat(300_000 / piece.length))
  assert.ok(performance.now() - started < 2000)
})
