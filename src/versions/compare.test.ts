import assert from 'node:assert/strict'
import { test } from 'node:test'
import { orderFor } from './compare.ts'

test('each ecosystem has the order of its world, whatever its suffix', () => {
  for (const ecosystem of ['Debian', 'Debian:12', 'Ubuntu:22.04:LTS'])
    assert.equal(orderFor(ecosystem)?.('1.0~rc1-1', '1.0-1'), -1, ecosystem)
  for (const ecosystem of ['Alpine:v3.20', 'Alpine', 'Wolfi', 'Chainguard'])
    assert.equal(orderFor(ecosystem)?.('1.0_rc1-r1', '1.0-r0'), -1, ecosystem)
  for (const ecosystem of ['AlmaLinux:9', 'Rocky Linux:9', 'Red Hat:rhel_e4s:8.6::appstream', 'openSUSE:Leap 15.5'])
    assert.equal(orderFor(ecosystem)?.('1.0~rc1-1', '1.0-1'), -1, ecosystem)
  for (const ecosystem of ['npm', 'crates.io', 'Go']) assert.equal(orderFor(ecosystem)?.('1.0.0-rc.1', '1.0.0'), -1, ecosystem)
  assert.equal(orderFor('PyPI')?.('1.0rc1', '1.0'), -1)
  const inOrder: [string, string, string][] = [
    ['Go', 'v1.2.3', 'go1.21.6 X:loopvar'],
    ['RubyGems', '1.0.a', '1.0'],
    ['Packagist', 'dev-main', '1.0'],
    ['Packagist:https://packages.drupal.org/8', '1.0-beta1', '1.0-RC1'],
    ['NuGet', '1.0.0', '1.0.0.1'],
    ['Pub', '1.0.0', '1.0.0+1'],
    ['Hex', '1.0.0-dev', '1.0.0'],
    ['CRAN', '1.0-1', '1.0.2'],
    ['Bioconductor', '1.0-1', '1.0.2'],
    ['Hackage', '1.0', '1.0.0'],
    ['GHC', '9.4.1', '9.4.1.0'],
    ['Bitnami', '1.0.0', '1.0.0-1'],
    ['opam', '1.0~rc1', '1.0'],
    ['SwiftURL', '1.0.0-rc.1', '1.0.0'],
  ]
  for (const [ecosystem, a, b] of inOrder) assert.equal(orderFor(ecosystem)?.(a, b), -1, ecosystem)
})

test('an ecosystem without an order here has none', () => {
  for (const ecosystem of ['', ':', 'debian', 'NPM', 'constructor', '__proto__', 'OSS-Fuzz', 'x'.repeat(100_000)])
    assert.equal(orderFor(ecosystem), undefined, ecosystem.slice(0, 20))
})
