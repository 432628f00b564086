import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { LazaretError } from '../errors.ts'
import { settingPaths, variableOf } from './catalogue.ts'
import { parseFile } from './file.ts'
import { loadSettings } from './settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'lazaret-settings-'))
after(() => rmSync(folder, { recursive: true }))

const load = (env: Record<string, string>, cwd = folder) => loadSettings({ env, cwd })
const withFile = (yaml: string | Buffer, env: Record<string, string> = {}) => {
  writeFileSync(join(folder, 'given.yaml'), yaml)
  return load({ LAZARET_CONFIG: 'given.yaml', ...env })
}
const refusal = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof LazaretError, String(error))
    assert.equal(error.code, 'SETTING_INVALID')
    return error.message
  }
  throw new assert.AssertionError({ message: 'nothing was refused' })
}

test('hostile files are refused with a reason', () => {
  assert.match(
    refusal(() => withFile('a: &a [x]\nb: *a\n')),
    /given\.yaml/,
  )
  assert.match(
    refusal(() => withFile('public: &a ["x"]\n')),
    /anchors and aliases/,
  )
  const bomb = [
    'a: &a [x,x]',
    ...'bcdefghij'.split('').map((name, i) => `${name}: &${name} [*${'abcdefghi'[i]},*${'abcdefghi'[i]}]`),
    'public: *j',
  ].join('\n')
  assert.match(
    refusal(() => withFile(bomb)),
    /anchors and aliases|is not a setting/,
  )
  assert.match(
    refusal(() => withFile('log: info\nlog: debug\n')),
    /given\.yaml:2: log stands twice/,
  )
  assert.match(
    refusal(() => withFile('gate: {waitSeconds: 1}\ngate: {waitSeconds: 2}\n')),
    /gate stands twice/,
  )
  assert.match(
    refusal(() => withFile(`# ${'x'.repeat(1024 * 1024)}`)),
    /larger than 1048576 bytes/,
  )
  assert.match(
    refusal(() => withFile(Buffer.from([0x6c, 0x6f, 0x67, 0x3a, 0x20, 0xff, 0xfe]))),
    /can't be read/,
  )
  assert.match(
    refusal(() => withFile('[a]')),
    /a map of settings was expected/,
  )
  assert.match(
    refusal(() => withFile('log: info\n---\nlog: debug\n')),
    /given\.yaml/,
  )
  assert.match(
    refusal(() => withFile('log: !!js/function x\n')),
    /given\.yaml:1/,
  )
  assert.match(
    refusal(() => withFile(`public: ${'['.repeat(50_000)}`)),
    /given\.yaml/,
  )
  assert.match(
    refusal(() => withFile(`public: [${'a,'.repeat(2000)}]`)),
    /at most 1000 items/,
  )
  assert.match(
    refusal(() => load({ LAZARET_CONFIG: 'no-such.yaml' })),
    /no-such\.yaml can't be read/,
  )
  assert.match(
    refusal(() => load({ LAZARET_CONFIG: '.' })),
    /is not a file|EISDIR/,
  )
  const many = refusal(() => withFile(Array.from({ length: 5000 }, (_, i) => `k${i}: 1`).join('\n')))
  assert.equal(many.split('; ').length, 20)
})

test('an empty file is no setting at all', () => {
  for (const empty of ['', '\n', '# nothing\n', '---\n', '~\n', 'gate:\n']) assert.equal(withFile(empty).gate.waitSeconds, 20)
})

test('any text ends as settings or as a refusal, never otherwise', () => {
  const piece = fc.constantFrom(
    'gate',
    'listen',
    'public',
    ': ',
    '\n',
    '  ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '&a ',
    '*a',
    '"',
    "'",
    '|',
    '>',
    '!!',
    '? ',
    '#',
    '---',
    '~',
    '\t',
    '0',
    'true',
    '<<',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.array(piece, { maxLength: 25 }).map((parts) => parts.join('')),
      ),
      (source) => {
        const problems: string[] = []
        try {
          parseFile('/x/fuzz.yaml', 'fuzz.yaml', source, problems)
        } catch (error) {
          assert.ok(error instanceof LazaretError && error.code === 'SETTING_INVALID', String(error))
        }
      },
    ),
    { numRuns: 2000 },
  )
  fc.assert(
    fc.property(fc.constantFrom(...settingPaths), fc.string({ unit: 'binary', maxLength: 40 }), (path, text) => {
      try {
        load({ [variableOf(path)]: text })
      } catch (error) {
        assert.ok(error instanceof LazaretError && error.code === 'SETTING_INVALID', String(error))
      }
    }),
    { numRuns: 2000 },
  )
})
