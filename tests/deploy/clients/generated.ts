// What a program does with a client that openapi-ts has made, in the folder `made`.
import { encode } from './made';
import { createClient } from './made/client';

export async function main(url: string, image: string): Promise<void> {
  const client = createClient({ baseUrl: url });
  const body = { images: [image] };
  const found = await encode({ client, path: { model: 'mnist-vae-2d' }, body });
  const refused = await encode({ client, path: { model: 'nope' }, body });
  console.log(JSON.stringify([found.data?.items[0]?.mean, refused.error?.status]));
}
