import { expect, test } from 'vitest'
import { withoutCredentials } from './without-credentials.ts'

test.each([
  ['https://token@github.com/acme/bff.git', 'https://github.com/acme/bff.git'],
  ['https://user:secret@git.acme.test:8443/bff', 'https://git.acme.test:8443/bff'],
  ['https://github.com/acme/bff.git', 'https://github.com/acme/bff.git'],
  ['git@github.com:acme/bff.git', 'git@github.com:acme/bff.git'],
  ['/srv/git/bff.git', '/srv/git/bff.git'],
])('%s is shown as %s', (remote, shown) => {
  expect(withoutCredentials(remote)).toBe(shown)
})
