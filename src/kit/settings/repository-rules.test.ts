import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { scratch } from '../../../test/support/scratch.ts'
import { LazaretError } from '../errors.ts'
import { loadSettings, type Settings } from './settings.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const folder = await scratch(stack, 'rules')

function load(env: Record<string, string>): Settings {
  return loadSettings({ env, cwd: folder })
}

function withFile(text: string, env: Record<string, string> = {}): Settings {
  writeFileSync(join(folder, 'given.yaml'), text)
  return load({ LAZARET_CONFIG: 'given.yaml', ...env })
}

function refusal(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof LazaretError && error.code === 'SETTING_INVALID', String(error))
    return error.message
  }
  throw new assert.AssertionError({ message: 'nothing was refused' })
}

test('rules of repositories: as YAML has them, and what is wrong is named with its line', () => {
  const yaml =
    'log: info\nrepositories:\n  - match: shop/**\n    labels: { tier: "1" }\n    immutableTags: [v*, "*.*.*"]\n    visibility: public\n  - { match: "**", owner: platform }\n'
  assert.deepEqual(withFile(yaml).repositories, [
    { match: 'shop/**', labels: { tier: '1' }, immutableTags: ['v*', '*.*.*'], visibility: 'public' },
    { match: '**', owner: 'platform' },
  ])
  assert.deepEqual(withFile(yaml, { LAZARET_REPOSITORIES: '' }).repositories, [])
  assert.match(
    refusal(() => withFile('log: info\nrepositories:\n  - { match: shop/**, ownr: me }\n')),
    /^given\.yaml:2: repositories must be a list, each of a map of match, owner, .*, not "ownr" \(shop\/\*\*\)$/,
  )
  assert.match(
    refusal(() => withFile('repositories:\n  - { match: a }\n  - { match: a }\n')),
    /each pattern stands once: a stands twice/,
  )
  for (const text of ['repositories: shop\n', 'repositories: { match: a }\n', 'repositories: [a]\n', 'repositories: [{ owner: a }]\n'])
    assert.match(
      refusal(() => withFile(text)),
      /repositories must be a list/,
    )
  assert.match(
    refusal(() => load({ LAZARET_REPOSITORIES: 'shop/**' })),
    /LAZARET_REPOSITORIES must be a list of rules/,
  )
})
