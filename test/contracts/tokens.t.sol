// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IEscrowMoney} from "../../contracts/interfaces/IEscrowMoney.sol";
import {IJob, State} from "../../contracts/interfaces/IJob.sol";
import {Mode} from "../../contracts/libraries/Rule.sol";
import {Steps} from "./support/Steps.sol";
import {PermitToken, PlainToken} from "./support/Tokens.sol";

/// @notice See tokens.tree.
contract TokensTest is Steps {
    uint256 private constant KEY = 1000;

    function test_WhenPostedWithAPermit_NoApprovalGoesBefore() public {
        (PermitToken token, IJob.Terms memory terms) = _terms();
        _postWith(terms, _sign(token, PRICE + FEE, vm.getBlockTimestamp()));
        assertTrue(stateOf(terms) == State.Posted, "posted");
        assertEq(token.balanceOf(address(escrow)), PRICE + FEE, "paid");
    }

    function test_WhenAnotherAccountUsedThePermitFirst_ItIsPostedAllTheSame() public {
        (PermitToken token, IJob.Terms memory terms) = _terms();
        IJob.Permit memory permit = _sign(token, PRICE + FEE, vm.getBlockTimestamp());
        token.permit(requester, address(escrow), PRICE + FEE, permit.deadline, permit.v, permit.r, permit.s);
        _postWith(terms, permit);
        assertTrue(stateOf(terms) == State.Posted, "posted");
    }

    function test_WhenTheTokenHasNoPermit_AnApprovalServes() public {
        PlainToken token = new PlainToken();
        token.mint(requester, 1000 ether);
        IJob.Terms memory terms = termsOf(1, Mode.Evaluate, address(token));
        vm.prank(requester);
        token.approve(address(escrow), PRICE + FEE);
        _postWith(terms, IJob.Permit(0, 0, 0, 0));
        assertTrue(stateOf(terms) == State.Posted, "posted");
    }

    function test_RevertWhen_ThePermitIsExpiredOrForAnotherAmount() public {
        (PermitToken token, IJob.Terms memory terms) = _terms();
        _assertNotPosted(terms, _sign(token, PRICE + FEE, vm.getBlockTimestamp() - 1));
        _assertNotPosted(terms, _sign(token, PRICE, vm.getBlockTimestamp()));
        assertTrue(stateOf(terms) == State.None, "nothing happened");
    }

    function test_RevertWhen_ThereIsNoContractAtTheToken() public {
        IJob.Terms memory terms = termsOf(1, Mode.Evaluate, vm.addr(77));
        bytes memory reason = abi.encodeWithSelector(IEscrowMoney.Escrow_NotToken.selector, vm.addr(77));
        bytes memory data = abi.encodeCall(escrow.post, (terms, tipOf(REQUESTERS_SECRET), "sealed"));
        assertReverts(requester, data, reason);
        IJob.Permit memory permit;
        assertReverts(
            requester, abi.encodeCall(escrow.postWithPermit, (terms, "tip", "sealed", permit)), reason
        );
    }

    function test_WhenTheTokenFreezesOneParty_TheOthersMoneyLeaves() public {
        address[3] memory parties = [requester, provider, validator(0)];
        for (uint256 i = 0; i < 3; ++i) {
            uint256 snapshot = vm.snapshotState();
            (PermitToken token, IJob.Terms memory terms) = _terms();
            vm.prank(requester);
            token.approve(address(escrow), type(uint256).max);
            reach(terms, State.Validated);
            token.freeze(parties[i]);
            claim(terms);
            for (uint256 k = 1; k < 3; ++k) {
                bytes memory data = abi.encodeCall(escrow.withdraw, (parties[k], address(token)));
                vm.prank(parties[k]);
                (bool done,) = address(escrow).call(data);
                assertTrue(done == (k != i), "only the frozen account's money stays");
            }
            if (i != 0) assertEq(owedTo(parties[i], terms), i == 1 ? PRICE : FEE, "and stays owed to it");
            vm.revertToState(snapshot);
        }
    }

    function _terms() private returns (PermitToken token, IJob.Terms memory terms) {
        token = new PermitToken();
        token.mint(requester, 1000 ether);
        terms = termsOf(1, Mode.Evaluate, address(token));
    }

    function _postWith(IJob.Terms memory terms, IJob.Permit memory permit) private {
        bytes32 tip = tipOf(REQUESTERS_SECRET);
        vm.prank(requester);
        escrow.postWithPermit(terms, tip, "sealed", permit);
    }

    function _assertNotPosted(IJob.Terms memory terms, IJob.Permit memory permit) private {
        bytes memory data = abi.encodeCall(escrow.postWithPermit, (terms, "tip", "sealed", permit));
        vm.prank(requester);
        (bool done,) = address(escrow).call(data);
        assertTrue(!done, "not posted");
    }

    /// @dev The requester's permit for the escrow.
    function _sign(PermitToken token, uint256 amount, uint256 deadline)
        private
        view
        returns (IJob.Permit memory)
    {
        bytes32 typeHash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 permit = keccak256(
            abi.encode(typeHash, requester, address(escrow), amount, token.nonces(requester), deadline)
        );
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), permit));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, digest);
        return IJob.Permit(deadline, v, r, s);
    }
}
