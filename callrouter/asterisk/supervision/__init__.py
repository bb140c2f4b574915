"""Conversations that go on, overseen: `recordings` pauses, resumes and stops what is recorded of them, `renewal`
begins it anew when another voice comes by another stream, `listening` lets supervisors listen, whisper, barge in and
take over.
"""
