import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { describeSettings, loadSettings, settingRows } from './settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'lazaret-settings-secret-'))
after(() => rmSync(folder, { recursive: true }))

const load = (env: Record<string, string>) => loadSettings({ env, cwd: folder })
const withFile = (yaml: string, env: Record<string, string> = {}) => {
  writeFileSync(join(folder, 'given.yaml'), yaml)
  return load({ LAZARET_CONFIG: 'given.yaml', ...env })
}

test('a secret comes from text, a file or a variable, and is never shown', () => {
  writeFileSync(join(folder, 'pw'), 'from-a-file\n')
  assert.equal(withFile('adminPassword: { file: pw }\n').adminPassword, 'from-a-file')
  assert.equal(load({ LAZARET_ADMIN_PASSWORD_FILE: 'pw' }).adminPassword, 'from-a-file')
  assert.equal(withFile('adminPassword: { env: ELSEWHERE }\n', { ELSEWHERE: 'from-a-variable' }).adminPassword, 'from-a-variable')
  const settings = load({
    LAZARET_ADMIN_PASSWORD: 'hush-1',
    LAZARET_TOKEN: 'hush-2',
    LAZARET_DATABASE: 'postgres://u:hush-3@h/n?sslpassword=hush-4',
  })
  const described = describeSettings(settings)
  const printed =
    JSON.stringify(described) +
    settingRows(described)
      .map((row) => `${row.join(' ')}\n`)
      .join('')
  assert.doesNotMatch(printed, /hush/)
  assert.match(printed, /adminPassword +\*{8} +LAZARET_ADMIN_PASSWORD\n/)
  for (const wrong of [
    'adminPassword: 123456\n',
    'adminPassword: [hush]\n',
    'adminPassword: { hush: hush }\n',
    'adminPassword: "hush\\nhush"\n',
  ])
    assert.throws(
      () => withFile(wrong),
      ({ code, message }) => code === 'SETTING_INVALID' && !/123456|hush\b.*hush/.test(message),
    )
  assert.throws(() => withFile('adminPassword: { env: NOT_SET }\n'), { code: 'SETTING_INVALID', message: /NOT_SET, which is not set/ })
  assert.throws(() => load({ LAZARET_ADMIN_PASSWORD_FILE: 'no-such' }), { code: 'SETTING_INVALID', message: /ENOENT/ })
  assert.throws(() => load({ LAZARET_TOKEN: 'a', LAZARET_TOKEN_FILE: 'pw' }), { code: 'SETTING_INVALID', message: /can't both be set/ })
  writeFileSync(join(folder, 'large'), 'x'.repeat(70_000))
  assert.throws(() => load({ LAZARET_TOKEN_FILE: 'large' }), { code: 'SETTING_INVALID', message: /at most 65536 bytes/ })
})
