import assert from 'node:assert/strict'
import { test } from 'node:test'
import { squash } from '../squash.ts'
import { bearsAnything, factsOf, packagesOf } from '../testing/extract.ts'
import { layerOf } from '../testing/tars.ts'
import { wordpress } from './wordpress.ts'

const path = 'var/www/html/wp-content/plugins/akismet/akismet.php'
const plugin =
  '<?php\n/**\n * @package Akismet\n */\n/*\nPlugin Name: Akismet Anti-spam: Spam Protection\nPlugin URI: https://akismet.example/\nVersion: 5.3.3\nRequires PHP: 5.6.20\nLicense: GPLv2 or later\n*/\n'
const theme =
  '@charset "UTF-8";\r\n/*\r\nTheme Name: Twenty Twenty-Four\r\nVersion: 1.2\r\nLicense: GNU General Public License v2 or later\r\n*/'

test('plug-ins of a file and of a folder, themes, and WordPress beside them', async () => {
  const root = 'usr/src/wordpress'
  const layer = await layerOf([
    [`${root}/wp-includes/version.php`, "<?php\n/**\n * @package WordPress\n */\n$wp_version = '6.4.3';\n"],
    [`${root}/wp-content/plugins/akismet/akismet.php`, plugin],
    [`${root}/wp-content/plugins/akismet/index.php`, '<?php\n// Silence is golden.\n'],
    [`${root}/wp-content/plugins/hello.php`, '<?php /* Plugin Name: Hello Dolly\nVersion: 1.7.2 */ ?>'],
    [`${root}/wp-content/mu-plugins/own.php`, '<?php\n# Plugin Name: Own\n# version: 0.1 ?>\n'],
    [`${root}/wp-content/themes/twentytwentyfour/style.css`, theme],
  ])
  const { packages, problems, unsupported } = squash([layer])
  assert.deepEqual([problems, unsupported], [[], []])
  assert.deepEqual(packages.map(({ purl, licence }) => [purl, licence ?? '']).sort(), [
    ['pkg:generic/wordpress/mu-plugins/own@0.1', ''],
    ['pkg:generic/wordpress/plugins/akismet@5.3.3', 'GPL-2.0-or-later'],
    ['pkg:generic/wordpress/plugins/hello@1.7.2', ''],
    ['pkg:generic/wordpress/themes/twentytwentyfour@1.2', 'GPL-2.0-or-later'],
    ['pkg:generic/wordpress@6.4.3', ''],
  ])
})

test('a plug-in in the place of another: the upper layer counts', async () => {
  const newer = await layerOf([[path, plugin.replace('5.3.3', '5.4')]])
  const { packages } = squash([await layerOf([[path, plugin]]), newer])
  assert.deepEqual(
    packages.map(({ version }) => version),
    ['5.4'],
  )
})

test('a version that is none is named; a file without the header, or with it further down, is none', () => {
  const said = (text: string) => factsOf(wordpress, path, text)
  assert.deepEqual(said('<?php\n/* Plugin Name: X */'), [
    { unsupported: { kind: 'wordpress', component: true, name: 'plugins/akismet of a version that is not said' } },
  ])
  assert.deepEqual(said('<?php /*\nVersion: 1 */'), [])
  assert.deepEqual(said(`<?php${'\n'.repeat(8192)}${plugin}`), [])
  assert.deepEqual(said('<?php\n$text = "a Plugin Name: X";\n'), [])
  assert.deepEqual(
    packagesOf(wordpress, 'w/wp-content/themes/t/style.css', '/* Theme Name: T\nVersion: 2\nVersion: 3 */').map(({ version }) => version),
    ['2'],
  )
  for (const other of ['wp-content/plugins/a/inc/b.php', 'wp-content/themes/t/css/style.css', 'wp-content/uploads/a.php', 'plugins/a.php'])
    assert.ok(!wordpress.wants(other), other)
})

bearsAnything(wordpress, path, plugin)
