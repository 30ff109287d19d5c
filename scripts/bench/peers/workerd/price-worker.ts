import { answerPrice } from '../answer-price.ts'

export default {
  async fetch(request: Request): Promise<Response> {
    const { status, body } = await answerPrice(await request.json())
    return Response.json(body, { status })
  },
}
