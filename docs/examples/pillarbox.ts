// A small client for Pillarbox's REST API, without dependencies. Runs as it is on Node 22.18 or later:
//
//   PILLARBOX_URL=http://127.0.0.1:8080 PILLARBOX_KEY=... node pillarbox.ts hello@inbox.example

/** A verification code; `code` is null where none came in time. */
export interface Code {
  code: string | null;
  confidence: number | null;
  subject?: string;
  sender?: string;
}

/** A message as lists show it. Subject and preview were written by its sender. */
export interface Message {
  id: string;
  mailbox: string;
  from_address: string;
  subject: string;
  preview: string;
  received_at: number;
}

interface Envelope<T> {
  data: T;
  next_cursor?: string | null;
}

/** What went wrong: `code` for programs, the message for people, `fix` for what to do next. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly fix: string;

  constructor(status: number, body: { detail?: string; code?: string; fix?: string }) {
    super(body.detail ?? `HTTP ${status}`);
    this.status = status;
    this.code = body.code ?? "";
    this.fix = body.fix ?? "";
  }
}

export class Pillarbox {
  readonly #base: string;
  readonly #key: string;

  constructor(url: string, key: string) {
    this.#base = `${url.replace(/\/+$/, "")}/api/v1`;
    this.#key = key;
  }

  /** Makes a mailbox; without an address a readable one is drawn. */
  async createMailbox(address?: string): Promise<{ address: string; password: string }> {
    // Sent again after a broken connection, the request makes no second mailbox.
    const headers = { "Idempotency-Key": crypto.randomUUID() };
    type Made = { mailbox: { address: string }; password: string };
    const { data } = await this.#call<Made>("POST", "/mailboxes", { headers, body: address ? { address } : {} });
    return { address: data.mailbox.address, password: data.password };
  }

  /** The newest code that is not older than `seconds`; waits up to `wait` seconds (at most 55) for one. */
  async code(mailbox: string, wait = 30, seconds = 600): Promise<Code> {
    const query = new URLSearchParams({ mailbox, wait: String(wait), seconds: String(seconds) });
    return (await this.#call<Code>("GET", `/admin/verification-code?${query}`)).data;
  }

  /** All messages of a mailbox, newest first, a page at a time. */
  async *messages(mailbox: string): AsyncGenerator<Message> {
    const query = new URLSearchParams({ limit: "100" });
    for (;;) {
      const page = await this.#call<Message[]>("GET", `/mailboxes/${encodeURIComponent(mailbox)}/messages?${query}`);
      yield* page.data;
      if (!page.next_cursor) return;
      query.set("cursor", page.next_cursor);
    }
  }

  async #call<T>(method: string, path: string, more: { body?: unknown; headers?: Record<string, string> } = {}): Promise<Envelope<T>> {
    const headers: Record<string, string> = { Authorization: `Bearer ${this.#key}`, ...more.headers };
    if (more.body !== undefined) headers["Content-Type"] = "application/json";
    const body = more.body === undefined ? undefined : JSON.stringify(more.body);
    const answer = await fetch(this.#base + path, { method, headers, body });
    if (!answer.ok) throw new Problem(answer.status, await answer.json());
    return (await answer.json()) as Envelope<T>;
  }
}

if (process.argv[1] === import.meta.filename) {
  const pillarbox = new Pillarbox(process.env.PILLARBOX_URL ?? "", process.env.PILLARBOX_KEY ?? "");
  const mailbox = process.argv[2] ?? "";
  console.log((await pillarbox.code(mailbox)).code);
  for await (const message of pillarbox.messages(mailbox)) {
    console.log([message.received_at, message.from_address, message.subject].join("\t"));
  }
}
