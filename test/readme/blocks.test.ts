import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { blocksIn, printedPattern, typedLines } from './blocks.ts'

const document = [
  '# T',
  '```sh',
  'one   # why',
  '',
  'two',
  '```',
  '```',
  'no: …',
  '```',
  'text',
  '```',
  'alone',
  '```',
  '```yaml',
  'a: 1',
  '```',
].join('\n')

test('blocks with their language and place; a block of no language is printed by the one right before it', () => {
  assert.deepEqual(
    blocksIn(document).map(({ language, lines, line }) => [language, line, ...lines]),
    [
      ['sh', 3, 'one   # why', '', 'two'],
      ['', 8, 'no: …'],
      ['', 12, 'alone'],
      ['yaml', 15, 'a: 1'],
    ],
  )
  assert.deepEqual(typedLines(document), [
    { command: 'one   # why', line: 3, printed: 'no: …' },
    { command: 'two', line: 5, printed: 'no: …' },
  ])
  const apart = ['```sh', 'one', '```', 'and this is printed later:', '```', 'no', '```'].join('\n')
  assert.deepEqual(typedLines(apart), [{ command: 'one', line: 2 }])
})

test('a fence is ended by one as long, and one that is never ended is an error', () => {
  assert.deepEqual(blocksIn('````\n```\n````\n'), [{ language: '', lines: ['```'], line: 2 }])
  assert.throws(() => blocksIn('text\n```sh\nls\n'), /line 3 is not closed/)
})

test('what is printed is found whatever stands for the dots and the digest, and nothing else', () => {
  const pattern = printedPattern('held: a@sha256:0123456789ab in x 1.2.5 (critical). …')
  assert.match('denied: held: a@sha256:ffffffffffff in x 1.2.5 (critical). Use b.', pattern)
  assert.doesNotMatch('held: a@sha256:ffffffffffff in x 1x2.5 (critical). Use b.', pattern)
  assert.doesNotMatch('held: a@sha256:ffffffffffff in x 1.2.6 (critical). Use b.', pattern)
})

test('any text is found in itself', () => {
  fc.assert(fc.property(fc.string(), (text) => printedPattern(text).test(`before ${text} after`)))
})

test('no document makes the reader do more than throw', () => {
  const line = fc.constantFrom('```', '````', '```sh', '```yaml', 'ls', '', '  ```', '~~~')
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      let blocks: ReturnType<typeof blocksIn>
      try {
        blocks = blocksIn(lines.join('\n'))
      } catch (error) {
        assert.match(String(error), /is not closed/)
        return
      }
      for (const block of blocks) assert.deepEqual(block.lines, lines.slice(block.line - 1, block.line - 1 + block.lines.length))
    }),
  )
})
