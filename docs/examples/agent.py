"""The tools as an agent's host sees them, with the Python SDK of the Model Context Protocol (pip install mcp).

    PILLARBOX_URL=http://127.0.0.1:8080 PILLARBOX_KEY=... python3 agent.py hello@inbox.example
"""

import asyncio
import os
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client


async def main(mailbox: str) -> None:
    url = os.environ["PILLARBOX_URL"].rstrip("/") + "/api/mcp?toolset=core"
    headers = {"Authorization": f"Bearer {os.environ['PILLARBOX_KEY']}"}
    async with httpx2.AsyncClient(headers=headers, timeout=70) as http:
        async with Client(streamable_http_client(url, http_client=http)) as client:
            print(client.protocol_version)
            print(" ".join(tool.name for tool in (await client.list_tools()).tools))
            result = await client.call_tool("get_verification_code", {"mailbox": mailbox, "wait": 30})
            # What a stranger wrote stands in the fields that `external_content` names.
            print(result.structured_content["code"])


asyncio.run(main(sys.argv[1]))
