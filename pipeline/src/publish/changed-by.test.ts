import { expect, test } from 'vitest'
import { createRepository } from '../../test/repository.ts'
import { openGitRepository } from '../git/git-repository.ts'
import { readChangedBy } from './changed-by.ts'

test('names everyone behind a function: its own folder, and what its group shares', async () => {
  await using repository = await createRepository({ 'functions/shop/card/index.ts': '1' })
  const { directory, git } = repository
  const from = (await git.revparse(['HEAD'])).trim()
  await repository.commit({ 'functions/shop/card/index.ts': '2' })
  await git.addConfig('user.name', 'Bo Builder')
  await git.addConfig('user.email', 'bo@example.test')
  await repository.commit({ 'functions/shop/_shared/money.ts': '1', 'functions/shop/cards/a': '' })
  const to = await repository.commit({ 'functions/account/card/index.ts': '1' })

  const changedBy = await readChangedBy(await openGitRepository(directory), from, to)
  const [ada, bo] = ['Ada Author <ada@example.test>', 'Bo Builder <bo@example.test>']
  expect(changedBy('shop/card').toSorted()).toEqual([ada, bo])
  expect(changedBy('shop/quote')).toEqual([bo])
  expect(changedBy('account/card')).toEqual([bo])
  expect(changedBy('account/other')).toEqual([])
})
