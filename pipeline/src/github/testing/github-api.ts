import { createServer } from 'node:http'

/** A server on loopback that answers as GitHub's API would, for `GITHUB_API_URL`. */
export interface GitHubApi extends AsyncDisposable {
  readonly url: string
  /** Path and query of everything that was asked for. */
  readonly asked: readonly string[]
}

/** @param answers - By path and query; anything else is 404. */
export async function startGitHubApi(
  answers: Readonly<Record<string, unknown>>,
): Promise<GitHubApi> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const url = request.url ?? ''
    asked.push(url)
    response.statusCode = url in answers ? 200 : 404
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(answers[url] ?? { message: 'Not Found' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
